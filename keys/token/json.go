package token

import (
	"errors"
	"strconv"
	"unicode/utf8"
)

// encoding/json does what a verifier must not: it folds the case of member
// names, keeps the last of two equal members and mends broken UTF-8. So header
// and claims go through this parser, which accepts RFC 8259 and nothing else,
// refuses equal member names (RFC 7515 section 4), and keeps every value as the
// bytes that were signed.

type kind uint8

const (
	kindNull kind = iota
	kindFalse
	kindTrue
	kindNumber
	kindString
	kindArray
	kindObject
)

// value is one JSON value; raw is its text within the document.
type value struct {
	kind kind
	raw  []byte
}

type member struct {
	name []byte // unescaped
	value
}

// object is the members of one JSON object in their order.
type object []member

func (o object) get(name string) (value, bool) {
	for i := range o {
		if string(o[i].name) == name {
			return o[i].value, true
		}
	}
	return value{}, false
}

const (
	maxDepth   = 16  // nesting of a claims set
	maxMembers = 128 // of one object
	// mostAtFirst bounds the room that is made for members before they are read.
	mostAtFirst = 16
)

var errJSON = errors.New("not strict JSON")

// parseObject parses a document that is one JSON object and nothing after it.
// Its member names must also differ when case is ignored: "exp" beside "EXP" is
// an attack on a reader that folds case, and no issuer needs it.
func parseObject(doc []byte) (object, error) {
	p := parser{doc: doc}
	p.blank()
	if p.pos >= len(doc) || doc[p.pos] != '{' || !utf8.Valid(doc) {
		return nil, errJSON
	}
	o, err := p.object(0, true)
	if err != nil {
		return nil, err
	}
	p.blank()
	if p.pos != len(doc) {
		return nil, errJSON
	}
	return o, nil
}

// text returns the unescaped content of a string value.
func (v value) text() (string, bool) {
	if v.kind != kindString {
		return "", false
	}
	p := parser{doc: v.raw}
	s, err := p.string()
	return string(s), err == nil
}

// float returns the number, which may be fractional or have an exponent: both
// are legal in a NumericDate, RFC 7519 section 2.
func (v value) float() (float64, bool) {
	if v.kind != kindNumber {
		return 0, false
	}
	if n, ok := v.seconds(); ok {
		return float64(n), true
	}
	f, err := strconv.ParseFloat(string(v.raw), 64)
	return f, err == nil
}

// seconds returns a number of at most fifteen digits and nothing else, which a float64
// holds exactly. Nearly every NumericDate is one.
func (v value) seconds() (n int64, ok bool) {
	if len(v.raw) > 15 {
		return 0, false
	}
	for _, c := range v.raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

// strings returns the elements of an array of strings.
func (v value) strings() ([]string, bool) {
	if v.kind != kindArray {
		return nil, false
	}
	p := parser{doc: v.raw, pos: 1}
	var out []string
	if p.peek() == ']' {
		return out, true
	}
	for {
		e, err := p.value(0)
		if err != nil {
			return nil, false
		}
		s, ok := e.text()
		if !ok {
			return nil, false
		}
		out = append(out, s)
		if p.peek() == ']' {
			return out, true
		}
		p.pos++ // the comma: the document was parsed before
	}
}
