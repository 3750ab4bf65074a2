package octets

import "net/textproto"

const (
	low  = 0x0101010101010101
	high = 0x8080808080808080
)

// Plain reports whether a text is made of printable ASCII and blanks alone: of the bytes
// from 0x20 to 0x7e.
func Plain(s string) bool {
	for len(s) >= 8 {
		// One load; the compiler sees that. A byte stands out by its highest bit: its
		// own from 0x80 on, by the sum at 0x7f, by the difference below 0x20. A borrow
		// comes only from a byte that stands out itself.
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		if (w|(w+low)|(w-0x20*low))&high != 0 {
			return false
		}
		s = s[8:]
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// kinds of the bytes of a field's name.
const (
	other = iota
	lower
	upper
	hyphen
)

var kindOf = func() (kinds [256]uint8) {
	for c := 'a'; c <= 'z'; c++ {
		kinds[c] = lower
	}
	for c := 'A'; c <= 'Z'; c++ {
		kinds[c] = upper
	}
	kinds['-'] = hyphen
	return kinds
}()

// CanonicalKey is [textproto.CanonicalMIMEHeaderKey] for a name that is made of token
// bytes (RFC 9110 section 5.6.2), quicker where it is canonical already, as most are.
func CanonicalKey(name string) string {
	wrong := uint8(lower) // at the beginning of a word
	for i := range len(name) {
		kind := kindOf[name[i]]
		if kind == wrong {
			return textproto.CanonicalMIMEHeaderKey(name)
		}
		if wrong = upper; kind == hyphen {
			wrong = lower
		}
	}
	return name
}
