// Package interop is the kit of the examples under deploy/examples: it runs the
// built tollgate, other people's programs and a back end that says what it was
// sent, each on a free port of loopback and ended with its test. It knows no
// example. Only _test.go files import it.
package interop
