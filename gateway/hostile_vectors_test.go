package gateway

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func mustVectors(tb testing.TB, pattern string) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "shared", "vectors", pattern))
	if err != nil {
		tb.Fatal(err)
	}
	if len(files) == 0 {
		tb.Skipf("no test vectors at %s", pattern)
	}
	return files
}

var (
	vector  = regexp.MustCompile("(?s)<!-- meta=(\\{[^\n]*\\}) -->\n```http\n(.*?)\n?```\n+```log\n(.*?)```")
	escaped = regexp.MustCompile(`\\x([0-9a-fA-F]{2})`)
)

// bytesOf turns the text of a vector into what is sent: line ends are CRLF, a
// backslash at a line's end takes it away.
func bytesOf(text string) string {
	text = strings.ReplaceAll(text, "\\\n", "")
	text = strings.ReplaceAll(text, "\n", "\r\n")
	text = strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\t`, "\t", `\f`, "\f").Replace(text)
	return escaped.ReplaceAllStringFunc(text, func(s string) string {
		b, _ := strconv.ParseUint(s[2:], 16, 8)
		return string([]byte{byte(b)})
	})
}

// The raw requests of a strict parser's own suite, through the gateway: whatever
// passes is framed anew, there is no more of it than the strict parser counts, and
// nothing gives a 5xx.
func TestVectorsOfHTTP(t *testing.T) {
	files := mustVectors(t, "http-llhttp/*.md")
	a := mustArena(t, edgeOptions{routes: public("")})
	ran, most := 0, 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range vector.FindAllStringSubmatch(string(data), -1) {
			if !strings.Contains(m[1], `"request"`) {
				continue
			}
			raw := bytesOf(m[2])
			if first, rest, found := strings.Cut(raw, "\r\n"); found && strings.Contains(first, "HTTP/1.1") && !strings.Contains(strings.ToLower(raw), "\nhost:") {
				raw = first + "\r\nHost: h\r\n" + rest
			}
			ran++
			most += strings.Count(m[3], "message begin")
			a.replay(t, raw)
		}
	}
	a.innocent(t, a.aside, "after the vectors")
	arrived := a.victim.since(0)
	t.Logf("%d vectors, %d requests reached the back end of %d", ran, len(arrived), most)
	if ran < 100 || len(arrived) < 20 || len(arrived) > most {
		t.Errorf("%d vectors, %d requests of at most %d", ran, len(arrived), most)
	}
	for _, got := range arrived {
		if _, err := readStrictly(string(got)); err != nil {
			t.Errorf("%v in\n%q", err, got)
		}
	}
}

// replay sends bytes and the end of the connection, and reads whatever comes.
func (a *arena) replay(t *testing.T, raw string) {
	t.Helper()
	c := a.dial(t)
	defer c.Close()
	if _, err := c.Write([]byte(raw)); err != nil {
		t.Fatal(err)
	}
	// A client that is gone at once gets no answer; one that waits for more than it
	// sent gets none, either.
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, _ = c.in.Peek(1)
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	_ = c.Conn.(*net.TCPConn).CloseWrite()
	method, _, _ := strings.Cut(raw, " ")
	for {
		status, body, err := c.read(method)
		if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
			t.Errorf("no end of\n%q", raw)
		}
		if status == 0 || status == http.StatusSwitchingProtocols {
			return
		}
		if status >= 500 {
			t.Errorf("%d %s for\n%q", status, body, raw)
		}
	}
}

// naughty are strings that break things, ours first.
func naughty(tb testing.TB) []string {
	tb.Helper()
	list := []string{
		"1\r\nX-Admin: yes", "1\nX-Admin: yes", "1\rX-Admin: yes", "a\x00b", " a", "a ", "\ta", "a\t", "\u00a0a", "a\u2028b", "a\u0085b", "\ufeffa", "é", "a\x7fb", "\x1b[31m", "", " ", "\r\n", "a,b", "a;b", "\"a\"", "=?utf-8?b?YQ==?=",
		strings.Repeat("x", 1500), "\u202eadmin", "ⅰ", "Ａ", "admin\u00ad",
	}
	files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "vectors", "naughty-strings", "blns.json"))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		var more []string
		if err := json.Unmarshal(data, &more); err != nil {
			tb.Fatal(err)
		}
		list = append(list, more...)
	}
	return list
}

// carried reports whether a header can hold a text as it is.
func carried(text string) bool {
	return text == strings.Trim(text, " \t") && !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}

// What a claim says arrives as it is, in one field, or not at all; a caller whose id
// cannot arrive is refused.
func TestMustHold11_ClaimsMakeNoHeaders(t *testing.T) {
	a := mustArena(t, edgeOptions{routes: hostileRoutes})
	for _, value := range naughty(t) {
		if len(value) > 1500 {
			continue // with it the token is too long
		}
		id := a.told(t, value, func(c map[string]any) { c["user_id"] = value })
		if got := strings.Join(id["X-User-Id"], "|"); carried(value) && got != value || !carried(value) && id != nil {
			t.Errorf("%q arrived as %q", value, id)
		}
		scope := a.told(t, value, func(c map[string]any) { c["scope"], c["tenant"] = value, value })
		if got := scope["X-Token-Scope"]; carried(value) != (len(got) == 1 && got[0] == value) || !carried(value) && got != nil {
			t.Errorf("%q arrived as %q", value, got)
		}
	}
}

// told returns what the back end is told of a caller; nil when it was not asked.
func (a *arena) told(t *testing.T, value string, change func(map[string]any)) http.Header {
	t.Helper()
	before := a.victim.count()
	c := a.dial(t)
	defer c.Close()
	_, _ = c.Write([]byte(strings.ReplaceAll(ask("/x", bearer, "Connection: close"), "{T}", a.edge.token(t, change))))
	status, body, err := c.read("GET")
	arrived := a.victim.since(before)
	if err != nil || status == 200 && len(arrived) != 1 || status != 200 && (status != 401 || len(arrived) > 0) {
		t.Errorf("%q: %d %s %v, %d requests reached the back end", value, status, body, err, len(arrived))
	}
	if len(arrived) == 0 {
		return nil
	}
	r, err := readStrictly(string(arrived[0]))
	if err != nil {
		t.Fatalf("%q: %v", value, err)
	}
	if r.header["X-Admin"] != nil || strings.Join(r.header["X-Token-Subject"], "|") != "42" {
		t.Errorf("%q: headers %v", value, r.header)
	}
	return r.header
}
