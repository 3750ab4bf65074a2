package wire

import "strings"

// equalFold compares with a lower-case word.
func equalFold(s, word string) bool { return len(s) == len(word) && strings.EqualFold(s, word) }

// hasToken reports whether a comma-separated list holds a word.
func hasToken(list, word string) bool {
	for part := range strings.SplitSeq(list, ",") {
		if equalFold(strings.Trim(part, " \t"), word) {
			return true
		}
	}
	return false
}
