package token

import "unicode"

// foldRune returns the smallest rune of r's simple-folding orbit, so that two
// names are equal under bytes.EqualFold exactly when their folded forms are.
func foldRune(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}
