package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// reading is a request as the strictest of parsers reads it.
type reading struct {
	method, target string
	header         http.Header // names as written
	body           string
}

var (
	requestLine = regexp.MustCompile(`^([A-Z]+(?:-[A-Z]+)*) (/[!-~]*) HTTP/1\.1$`)
	fieldLine   = regexp.MustCompile(`^([A-Za-z0-9-]+): ?([^\x00-\x08\x0a-\x1f\x7f]*)$`)
	chunkLine   = regexp.MustCompile(`^[0-9a-f]{1,8}$`)
)

// readStrictly reads bytes that must be exactly one request on which no two
// parsers can differ: CRLF alone ends lines, names are plain and come once, one
// Host, one framing, no chunk extension, nothing left over.
func readStrictly(raw string) (*reading, error) {
	head, rest, found := strings.Cut(raw, "\r\n\r\n")
	if !found {
		return nil, errors.New("the head has no end")
	}
	lines := strings.Split(head, "\r\n")
	first := requestLine.FindStringSubmatch(lines[0])
	if first == nil {
		return nil, fmt.Errorf("request line %q", lines[0])
	}
	if path, _, _ := strings.Cut(first[2], "?"); strings.Contains(first[2], "#") || strings.ContainsFunc(path, func(c rune) bool { return c > 0xff || !inPath(byte(c)) }) {
		return nil, fmt.Errorf("target %q", first[2])
	}
	r := &reading{method: first[1], target: first[2], header: http.Header{}}
	folded := map[string]string{}
	for _, line := range lines[1:] {
		field := fieldLine.FindStringSubmatch(line)
		if field == nil {
			return nil, fmt.Errorf("field %q", line)
		}
		name := http.CanonicalHeaderKey(field[1])
		if other, twice := folded[foldName(name)]; twice && (other != name || single(name)) {
			return nil, fmt.Errorf("%s comes beside %s", field[1], other)
		}
		folded[foldName(name)] = name
		r.header[name] = append(r.header[name], field[2])
	}
	if len(r.header["Host"]) != 1 {
		return nil, errors.New("no Host")
	}
	return r, r.readBody(rest)
}

// single reports whether a second field of this name would be ambiguous.
func single(name string) bool {
	switch name {
	case "Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Content-Type", "Authorization", "Expect", "Trailer":
		return true
	}
	return strings.HasPrefix(name, "X-")
}

func (r *reading) readBody(rest string) error {
	length, chunked := r.header["Content-Length"], r.header["Transfer-Encoding"]
	switch {
	case length != nil && chunked != nil:
		return errors.New("two framings")
	case length != nil:
		n, err := strconv.ParseUint(length[0], 10, 62)
		if err != nil || length[0] != strconv.FormatUint(n, 10) || int(n) != len(rest) {
			return fmt.Errorf("Content-Length %q with %d bytes", length[0], len(rest))
		}
		r.body = rest
	case chunked != nil:
		if chunked[0] != "chunked" {
			return fmt.Errorf("Transfer-Encoding %q", chunked)
		}
		return r.readChunks(rest)
	case rest != "":
		return fmt.Errorf("%q behind a request without a body", rest)
	}
	return nil
}

func (r *reading) readChunks(rest string) error {
	for {
		line, after, _ := strings.Cut(rest, "\r\n")
		size, err := strconv.ParseUint(line, 16, 31)
		if err != nil || !chunkLine.MatchString(line) || int(size)+2 > len(after) && size > 0 {
			return fmt.Errorf("chunk %q", rest)
		}
		if size == 0 {
			rest = after
			break
		}
		r.body += after[:size]
		if after[size:size+2] != "\r\n" {
			return fmt.Errorf("end of chunk %q", after)
		}
		rest = after[size+2:]
	}
	for rest != "\r\n" {
		line, after, found := strings.Cut(rest, "\r\n")
		field := fieldLine.FindStringSubmatch(line)
		if !found || field == nil {
			return fmt.Errorf("trailer %q", rest)
		}
		r.header["Trailer "+field[1]] = []string{field[2]}
		rest = after
	}
	return nil
}

// tellsTruth checks what must hold of whatever reaches a back end: who calls and
// from where is the gateway's word, and nothing of a forgery has come along.
func (r *reading) tellsTruth(identified bool) error {
	for name, values := range r.header {
		if name != "Cookie" && strings.Contains(name+strings.Join(values, " "), "forged") {
			return fmt.Errorf("%s: %q arrived", name, values)
		}
	}
	want := map[string]string{"X-User-Id": "", "X-Token-Subject": "", "X-Token-Jti": "", "X-Token-Scope": "", "X-Tenant": "",
		"X-Forwarded-For": "127.0.0.1", "X-Real-Ip": "127.0.0.1", "X-Forwarded-Proto": "http"}
	if identified {
		want["X-User-Id"], want["X-Token-Subject"], want["X-Token-Jti"], want["X-Token-Scope"] = "42", "42", "jti-1", "read write"
	}
	for name, value := range want {
		if got := strings.Join(r.header[name], "|"); got != value {
			return fmt.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	if hosts := r.header["X-Forwarded-Host"]; len(hosts) != 1 {
		return fmt.Errorf("X-Forwarded-Host %q", hosts)
	}
	return nil
}
