package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"tollgate/internal/server"
)

// idle is the limit under test: long against what a loaded machine loses, short
// against a reader's patience.
const idle = 300 * time.Millisecond

// outcome is how reading a body ended.
type outcome struct {
	n    int64
	err  error
	took time.Duration
}

// reading reads each body to its end and says how that went.
func reading(got chan<- outcome) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			w.WriteHeader(http.StatusRequestTimeout)
		}
		got <- outcome{n, err, time.Since(start)}
	})
}

func mustServe(t *testing.T, h http.Handler) *running {
	t.Helper()
	s := server.New(server.Config{BodyIdleTimeout: idle, ShutdownTimeout: 5 * time.Second})
	s.AddPublic("public", "127.0.0.1:0", h, nil)
	r := mustRun(t, s)
	t.Cleanup(func() {
		r.stop()
		if err := r.mustEnd(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return r
}

const post = "POST / HTTP/1.1\r\nHost: x\r\n"

// A client that goes silent in the middle of a body is cut off; what it sends
// beside the body does not count.
func TestSilentBodyIsCut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, sent string
		drip       string // sent byte by byte while we wait
		read       int64
	}{
		{"length", post + "Content-Length: 100\r\n\r\nabc", "", 3},
		{"nothing at all", post + "Content-Length: 100\r\n\r\n", "", 0},
		{"chunked", post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "", 3},
		{"half a chunk", post + "Transfer-Encoding: chunked\r\n\r\n64\r\nabc", "", 3},
		{"a chunk's size without end", post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "1;" + strings.Repeat("x", 200), 3},
		{"trailers without end", post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", "X: " + strings.Repeat("x", 200), 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := make(chan outcome, 1)
			conn := mustDial(t, mustServe(t, reading(got)))
			_, _ = io.WriteString(conn, tt.sent)
			go func() {
				for i := range len(tt.drip) {
					if _, err := io.WriteString(conn, tt.drip[i:i+1]); err != nil {
						return
					}
					time.Sleep(idle / 10)
				}
			}()
			o := <-got
			if !errors.Is(o.err, server.ErrBodyIdle) || !errors.Is(o.err, os.ErrDeadlineExceeded) || o.n != tt.read {
				t.Errorf("read %d: %v", o.n, o.err)
			}
			if o.took < idle*9/10 || o.took > 5*idle {
				t.Errorf("cut after %v", o.took)
			}
			answer, _ := io.ReadAll(conn) // to the connection's end
			if !strings.HasPrefix(string(answer), "HTTP/1.1 408") || !strings.Contains(string(answer), "Connection: close") {
				t.Errorf("answer %q", answer)
			}
		})
	}
}

// The failure is remembered: a handler that reads on does not wait again.
func TestSilentBodyStaysCut(t *testing.T) {
	t.Parallel()
	got := make(chan time.Duration, 1)
	conn := mustDial(t, mustServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		start := time.Now()
		for range 3 {
			if _, err := r.Body.Read(make([]byte, 1)); !errors.Is(err, server.ErrBodyIdle) {
				t.Errorf("read on: %v", err)
			}
		}
		w.WriteHeader(http.StatusRequestTimeout)
		_ = http.NewResponseController(w).Flush()
		got <- time.Since(start)
	})))
	_, _ = io.WriteString(conn, post+"Content-Length: 100\r\n\r\nabc")
	if took := <-got; took > idle/2 {
		t.Errorf("it took %v more", took)
	}
}

// A body that comes slowly, but comes, is read to its end however long that takes,
// and the connection is kept.
func TestSlowBodyIsRead(t *testing.T) {
	t.Parallel()
	got := make(chan outcome, 1)
	r := mustServe(t, reading(got))
	conn := mustDial(t, r)
	in := bufio.NewReader(conn)
	for _, chunked := range []bool{false, true, false} {
		head, part, end := "Content-Length: 8\r\n\r\n", "x", ""
		if chunked {
			head, part, end = "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", "0\r\n\r\n"
		}
		_, _ = io.WriteString(conn, post+head)
		for range 8 {
			time.Sleep(idle / 3)
			_, _ = io.WriteString(conn, part)
		}
		_, _ = io.WriteString(conn, end)
		if o := <-got; o.err != nil || o.n != 8 {
			t.Errorf("chunked %t: read %d, %v", chunked, o.n, o.err)
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("chunked %t: %v", chunked, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		time.Sleep(idle * 3 / 2) // an unused connection has its own limit
	}
}

// Whoever reads slowly makes the client wait, which is not the client's silence.
func TestSlowReaderCutsNobody(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*http.Protocols, bool){"HTTP/1.1": http1, "HTTP/2": h2c} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const size = 3 << 20
			got := make(chan outcome, 1)
			r := mustServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var n int64
				var err error
				for range 4 {
					time.Sleep(idle * 2)
					var m int64
					m, err = io.CopyN(io.Discard, r.Body, size/4)
					n += m
				}
				got <- outcome{n: n, err: err}
			}))
			res, err := speaking(t, nil, set).Post(r.url("public"), "", strings.NewReader(strings.Repeat("x", size)))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if o := <-got; o.err != nil || o.n != size {
				t.Errorf("read %d, %v", o.n, o.err)
			}
		})
	}
}

// A handler that answers without reading: what the server throws away of the body
// has the same limit.
func TestUnreadBodyHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	refuse := func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	for _, tt := range []struct {
		name, head, body string
		handler          http.HandlerFunc
		least, most      time.Duration
		kept             bool
	}{
		{"all there", "Content-Length: 3\r\n", "abc", refuse, 0, idle / 2, true},
		{"all there, chunked", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n", refuse, 0, idle / 2, true},
		{"silent", "Content-Length: 9\r\n", "abc", refuse, idle * 9 / 10, 5 * idle, false},
		{"silent, nothing written", "Content-Length: 9\r\n", "abc", func(http.ResponseWriter, *http.Request) {}, idle * 9 / 10, 5 * idle, false},
		{"too long to wait for", "Content-Length: 1000000\r\n", "abc", refuse, 0, idle / 2, false},
		{"waits for 100 Continue", "Content-Length: 9\r\nExpect: 100-continue\r\n", "", refuse, 0, idle / 2, false},
		{"panic", "Content-Length: 9\r\n", "abc", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, idle / 2, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn := mustDial(t, mustServe(t, tt.handler))
			start := time.Now()
			_, _ = io.WriteString(conn, post+tt.head+"\r\n"+tt.body)
			in := bufio.NewReader(conn)
			res, err := http.ReadResponse(in, nil)
			took := time.Since(start)
			if aborted := tt.name == "panic"; err != nil && !aborted || err == nil && aborted {
				t.Fatalf("answer: %v", err)
			}
			if took < tt.least || took > tt.most {
				t.Errorf("answered after %v", took)
			}
			if err == nil {
				_, _ = io.Copy(io.Discard, res.Body)
			}
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			if _, err := http.ReadResponse(in, nil); (err == nil) != tt.kept {
				t.Errorf("the next request: %v, connection kept: want %t", err, tt.kept)
			}
		})
	}
}

// An event stream that answers a POST goes on whatever became of the body.
func TestEventStreamAfterBody(t *testing.T) {
	t.Parallel()
	for _, read := range []bool{true, false} {
		for name, set := range map[string]func(*http.Protocols, bool){"HTTP/1.1": http1, "HTTP/2": h2c} {
			t.Run(fmt.Sprintf("%s read=%t", name, read), func(t *testing.T) {
				t.Parallel()
				r := mustServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if read {
						_, _ = io.Copy(io.Discard, r.Body)
					}
					for range 3 {
						_, _ = io.WriteString(w, "data: x\n\n")
						_ = http.NewResponseController(w).Flush()
						select {
						case <-time.After(idle * 3 / 2):
						case <-r.Context().Done():
							t.Errorf("cut: %v", context.Cause(r.Context()))
						}
					}
				}))
				res, err := speaking(t, nil, set).Post(r.url("public"), "", strings.NewReader("x"))
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				if body, err := io.ReadAll(res.Body); err != nil || len(body) != 27 {
					t.Errorf("%q, %v", body, err)
				}
			})
		}
	}
}

// A connection that was taken over is its handler's alone, with a body or without.
func TestHijackEndsTheLimit(t *testing.T) {
	t.Parallel()
	for _, head := range []string{"", "Content-Length: 3\r\n"} {
		t.Run(head, func(t *testing.T) {
			t.Parallel()
			conn := mustDial(t, mustServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c, rw, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Errorf("hijack: %v", err)
					return
				}
				defer c.Close()
				_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\n\r\n")
				_ = rw.Flush()
				text, err := rw.ReadString('\n')
				if err != nil {
					t.Errorf("after %q: %v", text, err)
				}
				_, _ = io.WriteString(c, text)
			})))
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+head+"\r\n")
			in := bufio.NewReader(conn)
			if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "101") {
				t.Fatalf("%q, %v", line, err)
			}
			time.Sleep(3 * idle)
			_, _ = io.WriteString(conn, "hello\n")
			if rest, err := io.ReadAll(in); err != nil || string(rest) != "\r\nhello\n" {
				t.Errorf("%q, %v", rest, err)
			}
		})
	}
}

// A handler's own deadline holds where it is the earlier one.
func TestOwnDeadline(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		own   func() time.Time
		least time.Duration
		most  time.Duration
		ours  bool
	}{
		{"earlier", func() time.Time { return time.Now().Add(idle / 4) }, idle / 5, idle * 3 / 4, false},
		{"later", func() time.Time { return time.Now().Add(time.Hour) }, idle * 9 / 10, 5 * idle, true},
		{"none", func() time.Time { return time.Time{} }, idle * 9 / 10, 5 * idle, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := make(chan outcome, 1)
			r := mustServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := http.NewResponseController(w).SetReadDeadline(tt.own()); err != nil {
					t.Errorf("set: %v", err)
				}
				reading(got).ServeHTTP(w, r)
			}))
			conn := mustDial(t, r)
			_, _ = io.WriteString(conn, post+"Content-Length: 100\r\n\r\nabc")
			o := <-got
			if !errors.Is(o.err, os.ErrDeadlineExceeded) || errors.Is(o.err, server.ErrBodyIdle) != tt.ours {
				t.Errorf("err: %v", o.err)
			}
			if o.took < tt.least || o.took > tt.most {
				t.Errorf("after %v", o.took)
			}
		})
	}
}

// Over HTTP/1.1 both directions at once have to be asked for.
func TestFullDuplex(t *testing.T) {
	t.Parallel()
	conn := mustDial(t, mustServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		if err := rc.EnableFullDuplex(); err != nil {
			t.Errorf("full duplex: %v", err)
		}
		_ = rc.Flush()
		_, _ = io.Copy(w, r.Body)
	})))
	_, _ = io.WriteString(conn, post+"Content-Length: 3\r\n\r\n")
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * idle)
	_, _ = io.WriteString(conn, "abc")
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != "abc" {
		t.Errorf("%q, %v", body, err)
	}
}

func TestContinueIsSentWhenTheBodyIsRead(t *testing.T) {
	t.Parallel()
	got := make(chan outcome, 1)
	conn := mustDial(t, mustServe(t, reading(got)))
	_, _ = io.WriteString(conn, post+"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
	in := bufio.NewReader(conn)
	if line, err := in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("%q, %v", line, err)
	}
	_, _ = io.WriteString(conn, "abc")
	if o := <-got; o.err != nil || o.n != 3 {
		t.Errorf("read %d, %v", o.n, o.err)
	}
}
