package token

import (
	"encoding/base64"
	"strings"
)

// compact is a JWS in compact serialisation, RFC 7515 section 7.1, cut and
// decoded but not yet believed.
type compact struct {
	signed    string // header.payload, the bytes under the signature
	header    []byte
	payload   []byte
	signature []byte
}

// Strict refuses unused bits that are not zero. It still skips CR and LF, which
// the alphabet check has refused before.
var segmentEncoding = base64.RawURLEncoding.Strict()

// split cuts a token into its three segments. Whatever is not exactly
// `[A-Za-z0-9_-]+` three times, canonical and without padding, is refused: the
// JSON serialisations, five segments (JWE), blanks, the standard alphabet. So
// one token has one spelling.
func split(raw string, maxBytes int) (compact, *Refusal) {
	if len(raw) > maxBytes {
		return compact{}, refuse(ReasonMalformed, "the token is too long")
	}
	if !alphabet(raw) || strings.Count(raw, ".") != 2 {
		return compact{}, refuse(ReasonMalformed, "not three segments of base64url")
	}
	first := strings.IndexByte(raw, '.')
	last := strings.LastIndexByte(raw, '.')
	if first == 0 || last == first+1 || last == len(raw)-1 {
		return compact{}, refuse(ReasonMalformed, "a segment is empty")
	}
	c := compact{signed: raw[:last]}
	room := make([]byte, 0, segmentEncoding.DecodedLen(len(raw)))
	for _, s := range [...]struct {
		to   *[]byte
		text string
	}{{&c.header, raw[:first]}, {&c.payload, raw[first+1 : last]}, {&c.signature, raw[last+1:]}} {
		from := len(room)
		all, err := segmentEncoding.AppendDecode(room, []byte(s.text))
		if err != nil {
			return compact{}, refuse(ReasonMalformed, "a segment is not canonical base64url")
		}
		room, *s.to = all, all[from:len(all):len(all)]
	}
	return c, nil
}

// foreign is 1 for each byte that no token is made of. It is looked up rather than
// compared: what a token's next letter is no processor foresees.
var foreign = func() (bytes [256]uint8) {
	for i := range bytes {
		c := byte(i)
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			bytes[i] = 1
		}
	}
	return bytes
}()

func alphabet(raw string) bool {
	found := uint8(0)
	for i := range len(raw) {
		found |= foreign[raw[i]]
	}
	return found == 0
}
