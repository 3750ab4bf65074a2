package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/internal/server"
)

// idle is the limit by default.
const idle = 30 * time.Second

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
		got <- outcome{n, err, took(start)}
	})
}

const post = "POST / HTTP/1.1\r\nHost: x\r\n"

// mustAnswer reads the next answer whole.
func mustAnswer(t *testing.T, in *bufio.Reader) (status int, body string) {
	t.Helper()
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// A client that goes silent in the middle of a body is cut off; what it sends
// beside the body does not count.
func TestSilentBodyIsCut(t *testing.T) {
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
			synctest.Test(t, func(t *testing.T) {
				got := make(chan outcome, 1)
				r := mustRig(t, reading(got))
				conn := r.mustDial()
				_, _ = io.WriteString(conn, tt.sent)
				var dripping sync.WaitGroup
				dripping.Go(func() { drip(conn, tt.drip) })
				answer, _ := io.ReadAll(conn) // to the connection's end
				dripping.Wait()
				o := <-got
				if !errors.Is(o.err, server.ErrBodyIdle) || !errors.Is(o.err, os.ErrDeadlineExceeded) || o.n != tt.read || o.took != idle {
					t.Errorf("read %d in %v: %v", o.n, o.took, o.err)
				}
				if !strings.HasPrefix(string(answer), "HTTP/1.1 408") || !strings.Contains(string(answer), "Connection: close") {
					t.Errorf("answer %q", answer)
				}
			})
		})
	}
}

// The same on real connections, with a limit that a test can wait for.
func TestSilentBodyOnSockets(t *testing.T) {
	t.Parallel()
	const short = time.Second
	f := mustFiles(t, "a.example")
	for name, cert := range map[string]*server.Certificate{"plain": nil, "TLS": f.mustLoad(nil)} {
		t.Run(name, func(t *testing.T) {
			got := make(chan outcome, 1)
			s := server.New(server.Config{BodyIdleTimeout: short})
			s.AddPublic("public", "127.0.0.1:0", reading(got), cert)
			r := mustRun(t, s)
			defer func() { r.stop(); _ = r.mustEnd() }()
			conn := mustDial(t, r)
			if cert != nil {
				conn = tls.Client(conn, &tls.Config{RootCAs: f.trusting().RootCAs, ServerName: "a.example"})
			}
			_, _ = io.WriteString(conn, post+"Content-Length: 100\r\n\r\n")
			for range 6 {
				time.Sleep(short / 6)
				_, _ = io.WriteString(conn, "x")
			}
			answer, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 408") {
				t.Errorf("answer %q, %v", answer, err)
			}
			if o := <-got; !errors.Is(o.err, server.ErrBodyIdle) || o.n != 6 || o.took < 2*short-short/6 {
				t.Errorf("read %d in %v: %v", o.n, o.took, o.err)
			}
		})
	}
}

func drip(conn net.Conn, text string) {
	for i := range len(text) {
		if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// The failure is remembered: a handler that reads on does not wait again.
func TestSilentBodyStaysCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := mustRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			start := time.Now()
			for range 3 {
				if _, err := r.Body.Read(make([]byte, 1)); !errors.Is(err, server.ErrBodyIdle) {
					t.Errorf("read on: %v", err)
				}
			}
			w.WriteHeader(http.StatusRequestTimeout)
			_ = http.NewResponseController(w).Flush()
			if d := took(start); d > 0 {
				t.Errorf("it took %v more", d)
			}
		}))
		conn := r.mustDial()
		_, _ = io.WriteString(conn, post+"Content-Length: 100\r\n\r\nabc")
		_, _ = io.ReadAll(conn)
	})
}

// A body that comes slowly, but comes, is read to its end however long that takes,
// and the connection is kept.
func TestSlowBodyIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan outcome, 1)
		r := mustRig(t, reading(got))
		conn := r.mustDial()
		in := bufio.NewReader(conn)
		for _, chunked := range []bool{false, true, false} {
			head, part, end := "Content-Length: 8\r\n\r\n", "x", ""
			if chunked {
				head, part, end = "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", "0\r\n\r\n"
			}
			_, _ = io.WriteString(conn, post+head)
			for range 8 {
				time.Sleep(idle - time.Second)
				_, _ = io.WriteString(conn, part)
			}
			if end != "" {
				_, _ = io.WriteString(conn, end)
			}
			if status, _ := mustAnswer(t, in); status != 200 {
				t.Errorf("chunked %t: %d", chunked, status)
			}
			if o := <-got; o.err != nil || o.n != 8 || o.took != 8*(idle-time.Second) {
				t.Errorf("chunked %t: read %d in %v, %v", chunked, o.n, o.took, o.err)
			}
			time.Sleep(2 * idle) // an unused connection has its own limit
		}
	})
}

// Whoever reads slowly makes the client wait, which is not the client's silence.
func TestSlowReaderCutsNobody(t *testing.T) {
	for name, set := range protocols() {
		t.Run(name, func(t *testing.T) {
			const size = 3 << 20
			synctest.Test(t, func(t *testing.T) {
				r := mustRig(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					for range 4 {
						time.Sleep(10 * idle)
						if n, err := io.CopyN(io.Discard, r.Body, size/4); err != nil {
							t.Errorf("read %d, %v", n, err)
						}
					}
				}))
				res, err := r.client(set).Post(rigURL, "", strings.NewReader(strings.Repeat("x", size)))
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
			})
		})
	}
}

func protocols() map[string]func(*http.Protocols, bool) {
	return map[string]func(*http.Protocols, bool){"HTTP/1.1": http1, "HTTP/2": h2c}
}

// A handler that answers without reading: what the server throws away of the body
// has the same limit.
func TestUnreadBodyHoldsNobodyUp(t *testing.T) {
	refuse := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	flush := func(w http.ResponseWriter, _ *http.Request) { _ = http.NewResponseController(w).Flush() }
	abort := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for _, tt := range []struct {
		name, head, body string
		handler          http.HandlerFunc
		status           int // 0: the connection is cut
		took             time.Duration
		kept             bool
	}{
		{"all there", "Content-Length: 3\r\n", "abc", refuse, 401, 0, true},
		{"all there, chunked", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n", refuse, 401, 0, true},
		{"silent", "Content-Length: 9\r\n", "abc", refuse, 401, idle, false},
		{"silent, nothing written", "Content-Length: 9\r\n", "abc", func(http.ResponseWriter, *http.Request) {}, 200, idle, false},
		{"silent, flushed", "Content-Length: 9\r\n", "abc", flush, 200, idle, false},
		{"too long to wait for", "Content-Length: 1000000\r\n", "abc", refuse, 401, 0, false},
		{"waits for 100 Continue", "Content-Length: 9\r\nExpect: 100-continue\r\n", "", refuse, 401, 0, false},
		{"panic", "Content-Length: 9\r\n", "abc", abort, 0, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := mustRig(t, tt.handler)
				conn := r.mustDial()
				start := time.Now()
				_, _ = io.WriteString(conn, post+tt.head+"\r\n"+tt.body)
				in := bufio.NewReader(conn)
				if tt.status != 0 {
					if status, _ := mustAnswer(t, in); status != tt.status {
						t.Errorf("answered %d", status)
					}
				} else if _, err := in.ReadByte(); err == nil {
					t.Error("answered")
				}
				if d := took(start); d != tt.took {
					t.Errorf("it took %v", d)
				}
				go func() { _, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") }()
				if _, err := http.ReadResponse(in, nil); (err == nil) != tt.kept {
					t.Errorf("the next request: %v; connection kept: want %t", err, tt.kept)
				}
			})
		})
	}
}

// An event stream that answers a POST goes on whatever became of the body.
func TestEventStreamAfterBody(t *testing.T) {
	for _, read := range []bool{true, false} {
		for name, set := range protocols() {
			t.Run(fmt.Sprintf("%s read=%t", name, read), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := mustRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if read {
							_, _ = io.Copy(io.Discard, r.Body)
						}
						for range 3 {
							_, _ = io.WriteString(w, "data: x\n\n")
							_ = http.NewResponseController(w).Flush()
							select {
							case <-time.After(10 * idle):
							case <-r.Context().Done():
								t.Errorf("cut: %v", context.Cause(r.Context()))
							}
						}
					}))
					res, err := r.client(set).Post(rigURL, "", strings.NewReader("x"))
					if err != nil {
						t.Fatal(err)
					}
					defer res.Body.Close()
					if body, err := io.ReadAll(res.Body); err != nil || len(body) != 27 {
						t.Errorf("%q, %v", body, err)
					}
				})
			})
		}
	}
}
