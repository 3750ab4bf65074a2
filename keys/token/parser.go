package token

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

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
	seen := names{fold: keep}
	if keep {
		o = make(object, 0, min(bytes.Count(p.doc, []byte{':'}), mostAtFirst))
	}
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
