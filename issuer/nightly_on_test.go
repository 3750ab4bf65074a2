//go:build nightly

package issuer_test

// tabRounds is how often fifty tabs refresh at once (make nightly).
const tabRounds = 1000
