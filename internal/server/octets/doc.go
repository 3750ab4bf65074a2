// Package octets looks through the texts of HTTP heads quickly: every request comes by
// here several times, with a token that is long.
//
// It knows ASCII and nothing of what a text means. It imports nothing of tollgate.
package octets
