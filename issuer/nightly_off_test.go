//go:build !nightly

package issuer_test

// tabRounds is how often fifty tabs refresh at once.
const tabRounds = 30
