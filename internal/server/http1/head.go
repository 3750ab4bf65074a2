package http1

import (
	"net/http"
	"net/url"
	"strings"

	"tollgate/internal/server/octets"
)

const (
	// maxHead is the longest head that is ordinary, in bytes.
	maxHead = 8 << 10
	// maxBody is the longest body that is ordinary.
	maxBody = 64 << 10
)

// head is the head of an ordinary request.
type head struct {
	method, target, host string
	url                  *url.URL
	header               http.Header
	length               int64
}

// parse reads a head without its last empty line; every line ends in CRLF. False
// says that it is not ordinary, or not even well-formed.
func parse(text string) (h head, ok bool) {
	line, rest, _ := strings.Cut(text, "\r\n")
	if !h.requestLine(line) {
		return h, false
	}
	n := strings.Count(rest, "\r\n")
	h.header = make(http.Header, n)
	values := make([]string, n) // one allocation for all
	sized := false
	for rest != "" {
		line, rest, ok = strings.Cut(rest, "\r\n")
		name, value, sound := field(line)
		if !ok || !sound {
			return h, false
		}
		switch name {
		case "Host":
			if h.host != "" || !isHost(value) {
				return h, false
			}
			h.host = value
			continue
		case "Content-Length":
			if sized || !h.sized(value) {
				return h, false
			}
			sized = true
		case "Connection":
			if h.header[name] != nil || !strings.EqualFold(value, "keep-alive") {
				return h, false
			}
		case "Transfer-Encoding", "Trailer", "Expect", "Te", "Upgrade", "Http2-Settings", "Pragma":
			return h, false
		}
		if old := h.header[name]; old != nil {
			h.header[name] = append(old, value)
			continue
		}
		values[0] = value
		h.header[name], values = values[:1:1], values[1:]
	}
	return h, h.host != ""
}

// requestLine reads "GET /path?query HTTP/1.1".
func (h *head) requestLine(line string) bool {
	word, rest, _ := strings.Cut(line, " ")
	if h.method = method(word); h.method == "" {
		return false
	}
	target, version, _ := strings.Cut(rest, " ")
	if version != "HTTP/1.1" || target == "" || target[0] != '/' {
		return false
	}
	h.target = target
	return h.parseTarget()
}

// method returns the ordinary method that a word is.
func method(word string) string {
	switch word {
	case http.MethodGet:
		return http.MethodGet
	case http.MethodPost:
		return http.MethodPost
	case http.MethodHead:
		return http.MethodHead
	case http.MethodPut:
		return http.MethodPut
	case http.MethodPatch:
		return http.MethodPatch
	case http.MethodDelete:
		return http.MethodDelete
	case http.MethodOptions:
		return http.MethodOptions
	}
	return ""
}

// parseTarget takes the target apart as [url.ParseRequestURI] does, which it asks
// about everything but plain paths.
func (h *head) parseTarget() bool {
	t := h.target
	end := 0
	for end < len(t) && plainPath[t[end]] {
		end++
	}
	if end == len(t) && !strings.HasPrefix(t, "//") {
		h.url = &url.URL{Path: t}
		return true
	}
	for i := end; i < len(t); i++ {
		if c := t[i]; c <= ' ' || c >= 0x7f {
			return false
		}
	}
	if t[min(end, len(t)-1)] == '?' && end+1 < len(t) && !strings.HasPrefix(t, "//") {
		h.url = &url.URL{Path: t[:end], RawQuery: t[end+1:]}
		return true
	}
	u, err := url.ParseRequestURI(t)
	h.url = u
	return err == nil
}

// plainPath holds the bytes that stand for themselves in a path, in whatever form it
// is written: [url.URL.EscapedPath] gives back what was sent.
var plainPath = [256]bool{'-': true, '_': true, '.': true, '~': true, '$': true, '&': true, '+': true, ',': true, '/': true, ':': true,
	'=': true, '@': true,
	'0': true, '1': true, '2': true, '3': true, '4': true, '5': true, '6': true, '7': true, '8': true, '9': true,
	'a': true, 'b': true, 'c': true, 'd': true, 'e': true, 'f': true, 'g': true, 'h': true, 'i': true, 'j': true, 'k': true, 'l': true, 'm': true,
	'n': true, 'o': true, 'p': true, 'q': true, 'r': true, 's': true, 't': true, 'u': true, 'v': true, 'w': true, 'x': true, 'y': true, 'z': true,
	'A': true, 'B': true, 'C': true, 'D': true, 'E': true, 'F': true, 'G': true, 'H': true, 'I': true, 'J': true, 'K': true, 'L': true, 'M': true,
	'N': true, 'O': true, 'P': true, 'Q': true, 'R': true, 'S': true, 'T': true, 'U': true, 'V': true, 'W': true, 'X': true, 'Y': true, 'Z': true,
}

// field reads "Name: value" and returns the canonical name.
func field(line string) (name, value string, ok bool) {
	colon := 0
	for colon < len(line) && (plainName(line[colon])) {
		colon++
	}
	if colon == 0 || colon == len(line) || line[colon] != ':' {
		return "", "", false
	}
	value = line[colon+1:]
	plain := octets.Plain(value)
	for i := 0; i < len(value) && !plain; i++ {
		if c := value[i]; (c < ' ' && c != '\t') || c >= 0x7f {
			return "", "", false
		}
	}
	return octets.CanonicalKey(line[:colon]), trim(value), true
}

// plainName: the bytes that names are made of. RFC 9110 section 5.6.2 knows more,
// and nobody uses them.
func plainName(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// trim removes optional white space.
func trim(v string) string {
	for v != "" && (v[0] == ' ' || v[0] == '\t') {
		v = v[1:]
	}
	for v != "" && (v[len(v)-1] == ' ' || v[len(v)-1] == '\t') {
		v = v[:len(v)-1]
	}
	return v
}

// isHost reports whether a value is made of what names, addresses and ports are.
func isHost(v string) bool {
	for i := range len(v) {
		if c := v[i]; !plainName(c) && c != '.' && c != ':' && c != '[' && c != ']' {
			return false
		}
	}
	return v != ""
}

// sized reads a Content-Length.
func (h *head) sized(v string) bool {
	if v == "" || len(v) > 6 {
		return false
	}
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return false
		}
		h.length = h.length*10 + int64(v[i]-'0')
	}
	return h.length <= maxBody
}
