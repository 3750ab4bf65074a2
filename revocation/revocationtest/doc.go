// Package revocationtest is the suite that every store of package revocation
// passes. It knows stores only through revocation.Store and the few hooks of
// Harness; what is particular to Redis (keys, feed) is tested beside the store.
//
// Only _test.go files import it.
package revocationtest
