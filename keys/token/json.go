package token

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
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

type parser struct {
	doc []byte
	pos int
}

func (p *parser) blank() {
	for p.pos < len(p.doc) {
		switch p.doc[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// peek skips blanks and returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	p.blank()
	if p.pos >= len(p.doc) {
		return 0
	}
	return p.doc[p.pos]
}

// object parses from '{'. With keep it returns the members and compares names
// without case; nested objects compare names exactly, because some issuers keep
// lists of clients or tenants there, whose names may differ by case alone.
func (p *parser) object(depth int, keep bool) (object, error) {
	if depth > maxDepth {
		return nil, errJSON
	}
	p.pos++
	var o object
	if p.peek() == '}' {
		p.pos++
		return o, nil
	}
	seen := newNames(keep)
	for {
		if p.peek() != '"' {
			return nil, errJSON
		}
		name, err := p.string()
		if err != nil {
			return nil, err
		}
		if !seen.add(name) {
			return nil, errJSON
		}
		if p.peek() != ':' {
			return nil, errJSON
		}
		p.pos++
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if keep {
			o = append(o, member{name, v})
		}
		switch p.peek() {
		case ',':
			p.pos++
		case '}':
			p.pos++
			return o, nil
		default:
			return nil, errJSON
		}
	}
}

func (p *parser) array(depth int) error {
	if depth > maxDepth {
		return errJSON
	}
	p.pos++
	if p.peek() == ']' {
		p.pos++
		return nil
	}
	for {
		if _, err := p.value(depth + 1); err != nil {
			return err
		}
		switch p.peek() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			return nil
		default:
			return errJSON
		}
	}
}

func (p *parser) value(depth int) (value, error) {
	c := p.peek()
	start := p.pos
	var k kind
	var err error
	switch {
	case c == '"':
		k = kindString
		_, err = p.string()
	case c == '{':
		k = kindObject
		_, err = p.object(depth, false)
	case c == '[':
		k = kindArray
		err = p.array(depth)
	case c == '-' || '0' <= c && c <= '9':
		k = kindNumber
		err = p.number()
	default:
		k, err = p.literal()
	}
	if err != nil {
		return value{}, err
	}
	return value{k, p.doc[start:p.pos]}, nil
}

func (p *parser) literal() (kind, error) {
	rest := p.doc[p.pos:]
	for _, l := range []struct {
		text string
		kind kind
	}{{"null", kindNull}, {"true", kindTrue}, {"false", kindFalse}} {
		if bytes.HasPrefix(rest, []byte(l.text)) {
			p.pos += len(l.text)
			return l.kind, nil
		}
	}
	return kindNull, errJSON
}

// number parses RFC 8259 section 6: no leading zero, no leading plus, digits on
// both sides of the point.
func (p *parser) number() error {
	if p.at() == '-' {
		p.pos++
	}
	if p.at() == '0' {
		p.pos++
	} else if !p.digits() {
		return errJSON
	}
	if p.at() == '.' {
		p.pos++
		if !p.digits() {
			return errJSON
		}
	}
	if c := p.at(); c == 'e' || c == 'E' {
		p.pos++
		if c := p.at(); c == '+' || c == '-' {
			p.pos++
		}
		if !p.digits() {
			return errJSON
		}
	}
	return nil
}

func (p *parser) at() byte {
	if p.pos >= len(p.doc) {
		return 0
	}
	return p.doc[p.pos]
}

func (p *parser) digits() bool {
	start := p.pos
	for c := p.at(); '0' <= c && c <= '9'; c = p.at() {
		p.pos++
	}
	return p.pos > start
}

// string parses from the opening quote and returns the unescaped bytes: those
// of the document itself where nothing was escaped.
func (p *parser) string() ([]byte, error) {
	p.pos++
	start := p.pos
	for p.pos < len(p.doc) {
		switch c := p.doc[p.pos]; {
		case c == '"':
			p.pos++
			return p.doc[start : p.pos-1], nil
		case c == '\\':
			return p.escaped(start)
		case c < 0x20:
			return nil, errJSON
		default:
			p.pos++
		}
	}
	return nil, errJSON
}

func (p *parser) escaped(start int) ([]byte, error) {
	out := append([]byte(nil), p.doc[start:p.pos]...)
	for p.pos < len(p.doc) {
		switch c := p.doc[p.pos]; {
		case c == '"':
			p.pos++
			return out, nil
		case c < 0x20:
			return nil, errJSON
		case c != '\\':
			out = append(out, c)
			p.pos++
		default:
			var err error
			if out, err = p.escape(out); err != nil {
				return nil, err
			}
		}
	}
	return nil, errJSON
}

func (p *parser) escape(out []byte) ([]byte, error) {
	p.pos++
	if p.pos >= len(p.doc) {
		return nil, errJSON
	}
	c := p.doc[p.pos]
	p.pos++
	switch c {
	case '"', '\\', '/':
		return append(out, c), nil
	case 'b':
		return append(out, '\b'), nil
	case 'f':
		return append(out, '\f'), nil
	case 'n':
		return append(out, '\n'), nil
	case 'r':
		return append(out, '\r'), nil
	case 't':
		return append(out, '\t'), nil
	case 'u':
	default:
		return nil, errJSON
	}
	r, ok := p.hex4()
	if !ok {
		return nil, errJSON
	}
	if utf16.IsSurrogate(r) { // a pair or nothing: a lone half has no UTF-8 form
		if p.at() != '\\' || p.pos+1 >= len(p.doc) || p.doc[p.pos+1] != 'u' {
			return nil, errJSON
		}
		p.pos += 2
		low, ok := p.hex4()
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return nil, errJSON
		}
	}
	return utf8.AppendRune(out, r), nil
}

func (p *parser) hex4() (rune, bool) {
	if p.pos+4 > len(p.doc) {
		return 0, false
	}
	var r rune
	for _, c := range p.doc[p.pos : p.pos+4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	p.pos += 4
	return r, true
}

// names notices a member name that comes twice. Few names are compared one by
// one; many go through a map, so that a hostile document stays linear.
type names struct {
	fold bool
	list [][]byte
	set  map[string]struct{}
}

func newNames(fold bool) *names { return &names{fold: fold} }

func (n *names) add(name []byte) bool {
	if len(n.list) >= maxMembers {
		return false
	}
	n.list = append(n.list, name)
	if len(n.list) <= 16 {
		for _, other := range n.list[:len(n.list)-1] {
			if n.equal(name, other) {
				return false
			}
		}
		return true
	}
	if n.set == nil {
		n.set = make(map[string]struct{}, 2*len(n.list))
		for _, other := range n.list[:len(n.list)-1] {
			n.set[n.canonical(other)] = struct{}{}
		}
	}
	key := n.canonical(name)
	if _, twice := n.set[key]; twice {
		return false
	}
	n.set[key] = struct{}{}
	return true
}

func (n *names) equal(a, b []byte) bool {
	if n.fold {
		return bytes.EqualFold(a, b)
	}
	return bytes.Equal(a, b)
}

// canonical must agree with equal: simple folding maps each rune to the smallest
// of its orbit, as bytes.EqualFold does pairwise.
func (n *names) canonical(name []byte) string {
	if !n.fold {
		return string(name)
	}
	return string(bytes.Map(foldRune, name))
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
	f, err := strconv.ParseFloat(string(v.raw), 64)
	return f, err == nil
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
