package issuer

import (
	"bytes"
	"mime/multipart"
	"strings"
)

// parseForm reads a URL-encoded form as browsers define it (WHATWG URL, section
// 5.1) and Django reads it: nothing in it is an error. net/url refuses a bare ";"
// and a "%" that is no escape, both of which people have in their passwords and
// curl sends as they are.
func parseForm(body string) fields {
	out := fields{}
	for pair := range strings.SplitSeq(body, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		out[unescape(name)] = unescape(value) // the last of a name counts, as in a QueryDict
	}
	return out
}

// unescape decodes "+" and the escapes, and leaves what is no escape as it is.
func unescape(s string) string {
	if !strings.ContainsAny(s, "+%") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			out = append(out, ' ')
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// parseMultipart reads the fields of a multipart form; files are not looked at.
func parseMultipart(body []byte, boundary string) (fields, error) {
	if boundary == "" {
		return nil, parseFault("Multipart form parse error - Invalid boundary in multipart: None")
	}
	form, err := multipart.NewReader(bytes.NewReader(body), boundary).ReadForm(tokenBody)
	if err != nil {
		return nil, parseFault("Multipart form parse error - the form is malformed")
	}
	defer func() { _ = form.RemoveAll() }()
	out := fields{}
	for name, list := range form.Value {
		out[name] = list[len(list)-1]
	}
	return out, nil
}
