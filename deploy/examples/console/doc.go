// Package console drives the pages of the admin listener in a real browser. It is a
// module of its own, so that what it needs for that is no dependency of tollgate; it
// knows a running system by its addresses alone.
package console
