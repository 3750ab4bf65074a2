package token

import (
	"strings"

	"tollgate/keys"
)

// header is the part of a JOSE header that decides something.
type header struct {
	alg keys.Algorithm
	kid string
	typ string // lower case, without "application/"
}

// forbidden are the header members that would change how the token is read or
// where its key comes from. None is ever acted upon; RFC 7515 section 4.1.11
// says the same of any crit that is not understood.
var forbidden = [...]string{"crit", "b64", "jku", "jwk", "x5u", "x5c", "zip", "enc", "cty"}

const maxKeyID = 128

func parseHeader(doc []byte) (header, *Refusal) {
	o, err := parseObject(doc)
	if err != nil {
		return header{}, refuse(ReasonMalformed, "the header is not one strict JSON object")
	}
	for _, name := range forbidden {
		if _, found := o.get(name); found {
			return header{}, refuse(ReasonMalformed, "the header has a member that is not accepted (crit, b64, jku, jwk, x5u, x5c, zip, enc, cty)")
		}
	}
	var h header
	name, refusal := stringMember(o, "alg")
	if refusal != nil {
		return header{}, refuse(ReasonAlgorithm, "the header has no alg")
	}
	// "none", an unknown name or another case: no key can have it.
	if h.alg, err = keys.ParseAlgorithm(name); err != nil {
		return header{}, refuse(ReasonAlgorithm, "the header's alg is not a signature algorithm that is accepted")
	}
	if _, found := o.get("kid"); found {
		if h.kid, refusal = stringMember(o, "kid"); refusal != nil || !printable(h.kid, maxKeyID) {
			return header{}, refuse(ReasonMalformed, "the header's kid is not a short printable string")
		}
	}
	if _, found := o.get("typ"); found {
		h.typ, _ = stringMember(o, "typ")
		// RFC 7515 section 4.1.9: media types compare without case, and
		// "application/" may be left out. What is then empty names no type, and
		// must not pass for a token that has no typ.
		if h.typ = strings.TrimPrefix(strings.ToLower(h.typ), "application/"); h.typ == "" {
			return header{}, refuse(ReasonMalformed, "the header's typ is not a media type")
		}
	}
	return h, nil
}

func stringMember(o object, name string) (string, *Refusal) {
	if v, found := o.get(name); found {
		if s, ok := v.text(); ok {
			return s, nil
		}
	}
	return "", refuse(ReasonMalformed, "a member is missing or not a string")
}

// printable reports whether s is 1 to most bytes of visible ASCII.
func printable(s string, most int) bool {
	if len(s) == 0 || len(s) > most {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
