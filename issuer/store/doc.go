// Package store is what the issuer's packages have in common about Redis: how long
// one request may wait for it. It knows no HTTP surface, no sessions and no users.
package store
