package wire

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"tollgate/internal/server/octets"
)

const (
	maxHead   = 64 << 10 // of an answer, in bytes
	maxFields = 1 << 10
	// maxInformational answers before the one that counts.
	maxInformational = 5
)

var (
	errField  = errors.New("a header field holds a control character")
	errStatus = fmt.Errorf("%w: its status line", ErrProtocol)
)

// version is what every answer begins with.
const version = "HTTP/1."

// Field is one line of an answer's header. The name is canonical.
type Field struct{ Name, Value string }

// head reads one head from the connection: from its status line to the empty line.
// begun is set as soon as a byte has come.
func (c *conn) head(begun *bool) (status, minor int, err error) {
	seen := 0
	for {
		have := c.buffered()
		if len(have) > 0 {
			*begun = true
		}
		// The end may straddle what was there and what came. Parsing wants the CR before it.
		if i := bytes.Index(have[max(seen-2, 0):], []byte("\n\r\n")); i >= 0 {
			end := max(seen-2, 0) + i + 1
			status, minor, err = c.parse(string(have[:end]))
			c.from += end + 2
			return status, minor, err
		}
		// What cannot become a head is not waited for.
		if seen = len(have); bytes.Contains(have, []byte("\n\n")) {
			return 0, 0, fmt.Errorf("%w: a line ends without CR", ErrProtocol)
		}
		if n := min(seen, len(version)); string(have[:n]) != version[:n] {
			return 0, 0, errStatus
		}
		if err := c.fill(maxHead); err != nil {
			return 0, 0, err
		}
	}
}

// parse reads a head, each of whose lines ends in CRLF. The fields share its text.
func (c *conn) parse(text string) (status, minor int, err error) {
	line, rest, ok := cutLine(text)
	if !ok {
		return 0, 0, fmt.Errorf("%w: a line ends without CR", ErrProtocol)
	}
	if status, minor, err = parseStatus(line); err != nil {
		return 0, 0, err
	}
	c.fields = c.fields[:0]
	for rest != "" {
		if line, rest, ok = cutLine(rest); !ok {
			return 0, 0, fmt.Errorf("%w: a line ends without CR", ErrProtocol)
		}
		f, err := parseField(line)
		if err != nil {
			return 0, 0, err
		}
		if len(c.fields) == maxFields {
			return 0, 0, fmt.Errorf("%w: more than %d fields", ErrProtocol, maxFields)
		}
		c.fields = append(c.fields, f)
	}
	return status, minor, nil
}

// cutLine takes the first line off. It must end in CRLF and hold no other CR or
// LF, or two readers would see different lines.
func cutLine(text string) (line, rest string, ok bool) {
	i := strings.IndexByte(text, '\n')
	if i <= 0 || strings.IndexByte(text[:i], '\r') != i-1 {
		return "", "", false
	}
	return text[:i-1], text[i+1:], true
}

// parseStatus reads "HTTP/1.1 200 OK"; the phrase may be missing, with or without
// its blank (RFC 9112 section 4).
func parseStatus(line string) (status, minor int, err error) {
	if len(line) < 12 || line[:7] != version || line[7] != '0' && line[7] != '1' || line[8] != ' ' {
		return 0, 0, errStatus
	}
	if len(line) > 12 && line[12] != ' ' || !sound(line) {
		return 0, 0, errStatus
	}
	for _, d := range line[9:12] {
		if d < '0' || '9' < d {
			return 0, 0, errStatus
		}
		status = status*10 + int(d-'0')
	}
	if status < 100 {
		return 0, 0, errStatus
	}
	return status, int(line[7] - '0'), nil
}

// parseField reads "Name: value". A line that begins with a blank continues the
// one before it (obs-fold), and is refused: RFC 9112 section 5.2 lets a proxy.
func parseField(line string) (Field, error) {
	colon := 0
	for colon < len(line) && line[colon] != ':' {
		if !tokenByte(line[colon]) {
			return Field{}, fmt.Errorf("%w: a field's name", ErrProtocol)
		}
		colon++
	}
	if colon == 0 || colon == len(line) {
		return Field{}, fmt.Errorf("%w: a line that is no field", ErrProtocol)
	}
	value := line[colon+1:]
	for len(value) > 0 && (value[0] == ' ' || value[0] == '\t') {
		value = value[1:]
	}
	for n := len(value); n > 0 && (value[n-1] == ' ' || value[n-1] == '\t'); n-- {
		value = value[:n-1]
	}
	if !sound(value) {
		return Field{}, fmt.Errorf("%w: a field's value", ErrProtocol)
	}
	return Field{octets.CanonicalKey(line[:colon]), value}, nil
}

// tokenByte: RFC 9110 section 5.6.2.
func tokenByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	switch c {
	case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~':
		return true
	}
	return false
}

// framing says how the body of an answer ends.
type framing struct {
	length  int64 // -1: not by its length
	chunked bool
	closes  bool // the connection ends with the answer
	rests   bool // a body was announced where none may come: whoever sends it does so soon
}

// frame reads the framing out of a header. RFC 9112 section 6.3.
func frame(fields []Field, method string, status, minor int) (framing, error) {
	f := framing{length: -1, closes: minor == 0}
	sized := false
	for _, field := range fields {
		switch field.Name {
		case "Content-Length":
			n, err := strconv.ParseUint(field.Value, 10, 63)
			if err != nil || sized {
				return f, fmt.Errorf("%w: its Content-Length", ErrProtocol)
			}
			f.length, sized = int64(n), true
		case "Transfer-Encoding":
			if f.chunked || minor == 0 || !equalFold(field.Value, "chunked") {
				return f, fmt.Errorf("%w: its Transfer-Encoding", ErrProtocol)
			}
			f.chunked = true
		case "Connection":
			f.closes = f.closes || hasToken(field.Value, "close")
		}
	}
	if f.chunked && sized {
		return f, fmt.Errorf("%w: Content-Length beside Transfer-Encoding", ErrProtocol)
	}
	body := f.chunked || f.length > 0
	switch {
	case status < 200:
		if body { // the next answer would be looked for within it
			return f, fmt.Errorf("%w: a body of an informational answer", ErrProtocol)
		}
	case status == http.StatusNoContent:
		// None may be announced (RFC 9110 section 8.6). What is announced may follow,
		// as late as when the connection has been lent again.
		f.length, f.chunked, f.closes = 0, false, f.closes || body
	case method == http.MethodHead, status == http.StatusNotModified:
		// Here it may be announced, and must not come all the same.
		f.rests = body || method == http.MethodHead && !sized
		f.length, f.chunked = 0, false
	case !f.chunked && !sized:
		f.closes = true // the end of the connection is the end of the body
	}
	return f, nil
}
