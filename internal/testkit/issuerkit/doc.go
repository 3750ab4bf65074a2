// Package issuerkit runs the issuer and its admin API for tests: the real key
// ring, users, sessions and revocations on a miniredis whose clock the test moves,
// behind the real public listener's handler, over HTTP.
//
// It remembers every password and token that passed through it, and at the end of
// each test looks for them in everything that was logged. Only _test.go files
// import it.
package issuerkit
