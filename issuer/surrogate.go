package issuer

// loneSurrogate reports whether a JSON document has an escape for half a surrogate pair
// without its other half (RFC 8259 section 8.2). The decoder would put U+FFFD in place
// of each, and so make one name or password of many.
//
// It looks at a document that may be malformed: what it misses there the decoder finds.
func loneSurrogate(doc []byte) bool {
	high := false // the escape before was the first half of a pair
	for i := 0; i < len(doc); i++ {
		if doc[i] != '\\' || i+1 >= len(doc) {
			if high {
				return true
			}
			continue
		}
		if i++; doc[i] != 'u' || i+4 >= len(doc) { // another escape, a backslash included
			if high {
				return true
			}
			continue
		}
		unit := rune(0)
		for _, c := range doc[i+1 : i+5] {
			if !isHex(c) {
				return false // malformed
			}
			unit = unit<<4 | rune(unhex(c))
		}
		i += 4
		switch low := 0xDC00 <= unit && unit <= 0xDFFF; {
		case low != high:
			return true
		default:
			high = 0xD800 <= unit && unit <= 0xDBFF
		}
	}
	return high
}
