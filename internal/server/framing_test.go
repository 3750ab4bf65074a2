package server_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/internal/server"
)

// TestLengths: what was read between two calls of a handler, in whatever pieces.
func TestLengths(t *testing.T) {
	t.Parallel()
	const with, without = "GET / HTTP/1.1\r\nHost: h\r\ncOntent-LENGTH: 5\r\n\r\n", "GET / HTTP/1.1\r\nHost: content-length:\r\nX-Content-Length: 5\r\n\ncontent\r\n\r\n"
	for name, row := range map[string]struct {
		reads []string // "" is a call of a handler
		want  string   // of these
	}{
		"none":                          {[]string{without, "", without, ""}, "ff"},
		"one":                           {[]string{with, "", without, "", without, ""}, "ttf"},
		"two heads in one read":         {[]string{without + with, "", ""}, "tt"},
		"three heads in one read":       {[]string{without + without + with, "", "", "", without, "", without, ""}, "ttttf"},
		"a head in two reads":           {[]string{without, "", with[:20], with[20:], ""}, "ft"},
		"the first with the one before": {[]string{without + with[:41], with[41:], "", without, ""}, "tt"},
		"a second head's end behind":    {[]string{without + with, "", "rest", ""}, "tt"},
	} {
		if got := server.LengthsSeen(row.reads); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
	for cut := 1; cut < len(with); cut++ {
		if got := server.LengthsSeen([]string{with[:cut], with[cut:], ""}); got != "t" {
			t.Errorf("cut at %d: %s", cut, got)
		}
	}
}

// TestBothFramings: a connection ends with the answer to a request that has both
// framings, whatever came before it, and lives on after one that has one.
func TestBothFramings(t *testing.T) {
	t.Parallel()
	const (
		chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
		both    = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
		next    = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
		odd     = "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n" // goes to net/http
	)
	s := server.New(server.Config{})
	s.AddPublic("public", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}), nil)
	r := mustRun(t, s)
	for name, row := range map[string]struct {
		sent    []string // in turn, each when the one before was answered
		answers int
	}{
		"one framing":        {[]string{chunked, chunked, next, chunked}, 4},
		"both first":         {[]string{both, next}, 1},
		"both later":         {[]string{next, odd, chunked, both, next}, 4},
		"both in a pipeline": {[]string{next + both + next}, 2},
		"behind net/http's":  {[]string{odd + both + next}, 2},
	} {
		nc, err := net.Dial("tcp", r.Addr("public").String())
		if err != nil {
			t.Fatal(err)
		}
		_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
		got, in := 0, bufio.NewReader(nc)
		for _, sent := range row.sent {
			_, _ = io.WriteString(nc, sent) // the server may have hung up
			for range strings.Count(sent, "HTTP/1.1") {
				answer, err := http.ReadResponse(in, nil)
				if err != nil {
					break
				}
				got++
				_, _ = io.Copy(io.Discard, answer.Body)
			}
		}
		if got != row.answers {
			t.Errorf("%s: %d answers, want %d", name, got, row.answers)
		}
		_ = nc.Close()
	}
	r.stop()
	if err := r.mustEnd(); err != nil {
		t.Error(err)
	}
}
