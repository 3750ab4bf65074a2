package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// warm makes n connections of the pool to its targets and leaves them idle.
func warm(t *testing.T, u *Upstream, n int) {
	t.Helper()
	var open []*http.Response
	for range n {
		res, err := u.RoundTrip(request(t, http.MethodGet, "/warm", ""))
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, res)
	}
	for _, res := range open {
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
}

// TestWhatIsSentTwice counts the requests that reach a back end whose used
// connections die when they see one more: the case that net/http repeats by
// itself, and for every connection that it holds.
func TestWhatIsSentTwice(t *testing.T) {
	for _, c := range []struct {
		name, method, body string
		header             string
		want               int64
	}{
		{"GET", http.MethodGet, "", "", 2},
		{"HEAD", http.MethodHead, "", "", 2},
		{"OPTIONS", http.MethodOptions, "", "", 2},
		{"GET with a body", http.MethodGet, "x", "", 1},
		{"POST", http.MethodPost, "x", "", 1},
		{"POST without a body", http.MethodPost, "", "", 1},
		{"POST that says it may", http.MethodPost, "", "Idempotency-Key", 1},
		{"POST with a body that says it may", http.MethodPost, "x", "X-Idempotency-Key", 1},
		{"PUT", http.MethodPut, "x", "", 1},
		{"DELETE", http.MethodDelete, "", "", 1},
		{"TRACE", http.MethodTrace, "", "", 1},
	} {
		for _, end := range []struct {
			name string
			how  func(net.Conn) bool
		}{{"closed", func(net.Conn) bool { return false }}, {"reset", reset}} {
			t.Run(c.name+" "+end.name, func(t *testing.T) {
				b := mustRaw(t, func(n int, r *http.Request, conn net.Conn) bool {
					if r.URL.Path == "/warm" {
						return write(conn, answerOK)
					}
					_, _ = io.Copy(io.Discard, r.Body)
					return end.how(conn)
				})
				u := mustUpstream(t, Config{URLs: []string{b.URL}})
				warm(t, u, 6)
				r := request(t, c.method, "/", c.body)
				if c.header != "" {
					r.Header.Set(c.header, "1")
				}
				_, err := ask(u, r)
				failed, ok := errors.AsType[*Error](err)
				if !ok || failed.Connect {
					t.Fatalf("%v", err)
				}
				_, broken := errors.AsType[*net.OpError](err)
				if !broken && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("%v names no cause", err)
				}
				if got := b.requests.Load() - 6; got != c.want {
					t.Errorf("sent %d times, want %d", got, c.want)
				}
			})
		}
	}
}

// TestRetryGoesToAnother: a used connection that dies says nothing about the
// other target, and the answer comes from there.
func TestRetryGoesToAnother(t *testing.T) {
	moody := func(n int, r *http.Request, c net.Conn) bool {
		return r.URL.Path == "/warm" && write(c, answerOK)
	}
	a := mustRaw(t, moody)
	b := mustBackend(t, nil)
	u := mustUpstream(t, Config{URLs: []string{a.URL, b.URL}})
	warm(t, u, 2)
	mustGet(t, u, "ok")
	if a.requests.Load() != 2 || b.hits.Load() != 2 {
		t.Errorf("%d and %d requests", a.requests.Load(), b.hits.Load())
	}
}

// TestFreshConnectionsAreNotTriedAgain: whoever hangs up on a fresh connection
// has seen the request and means it.
func TestFreshConnectionsAreNotTriedAgain(t *testing.T) {
	for name, play := range map[string]script{
		"closed":  func(int, *http.Request, net.Conn) bool { return false },
		"reset":   func(_ int, _ *http.Request, c net.Conn) bool { return reset(c) },
		"partial": func(_ int, _ *http.Request, c net.Conn) bool { write(c, "HTTP/1.1 200 O"); return false },
		"early": func(_ int, _ *http.Request, c net.Conn) bool {
			write(c, "HTTP/1.1 103 Early Hints\r\n\r\n")
			return false
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := mustRaw(t, play), mustRaw(t, play)
			u := mustUpstream(t, Config{URLs: []string{a.URL, b.URL}})
			if _, err := get(t, u); err == nil {
				t.Fatal("an answer from nowhere")
			}
			if n := a.requests.Load() + b.requests.Load(); n != 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

// TestPartialAnswerIsNotTriedAgain, on a used connection too.
func TestPartialAnswerIsNotTriedAgain(t *testing.T) {
	b := mustRaw(t, func(_ int, r *http.Request, c net.Conn) bool {
		if r.URL.Path == "/warm" {
			return write(c, answerOK)
		}
		write(c, "H")
		return false
	})
	u := mustUpstream(t, Config{URLs: []string{b.URL}})
	warm(t, u, 3)
	if _, err := get(t, u); err == nil {
		t.Fatal("an answer from nowhere")
	}
	if n := b.requests.Load() - 3; n != 1 {
		t.Errorf("sent %d times", n)
	}
}

// TestNoConnection: a request that nobody took goes on to every other target,
// whatever its method and with its body whole, and to each once.
func TestNoConnection(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
		good := mustBackend(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
		silent := mustSilent(t)
		u := mustUpstream(t, Config{
			URLs: []string{deadURL(t), "https://" + silent, deadURL(t), good.URL}, EjectAfter: -1, ConnectTimeout: 150 * time.Millisecond,
		})
		for range 6 {
			if got, err := ask(u, request(t, method, "/", "the body")); err != nil || got != "the body" {
				t.Fatalf("%s: %q, %v", method, got, err)
			}
		}
		if good.hits.Load() != 6 || u.Status()[3].Failures != 0 {
			t.Errorf("%s: %d served", method, good.hits.Load())
		}
		if u.turn.Load() <= 6 || u.inflight.Load() != 0 {
			t.Errorf("%s: no target but the good one was chosen, or %d places are kept", method, u.inflight.Load())
		}
	}
	for n := range 4 {
		urls := []string{}
		for range n + 1 {
			urls = append(urls, deadURL(t))
		}
		u := mustUpstream(t, Config{URLs: urls})
		_, err := ask(u, request(t, http.MethodPost, "/", "x"))
		failed, ok := errors.AsType[*Error](err)
		op, isOp := errors.AsType[*net.OpError](err)
		if !ok || !failed.Connect || !isOp || op.Op != "dial" || !strings.HasPrefix(err.Error(), "connect to http://127.0.0.1:") {
			t.Errorf("%v", err)
		}
		for _, s := range u.Status() {
			if s.Failures != 1 || s.InFlight != 0 {
				t.Errorf("one of %d: %+v, want one try", n+1, s)
			}
		}
	}
}

// TestNoSecondTargetAfterTheWait: the tries of a request end with its context.
func TestNoSecondTargetAfterTheWait(t *testing.T) {
	good := mustBackend(t, nil)
	u := mustUpstream(t, Config{URLs: []string{"http://" + fullListener(t), good.URL}})
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, ErrTimeout)
	defer cancel()
	if _, err := ask(u, request(t, http.MethodGet, "/", "").WithContext(ctx)); !errors.Is(err, ErrTimeout) {
		t.Errorf("%v", err)
	}
	if s := u.Status(); good.hits.Load() != 0 || s[0].Failures != 1 || s[1].Failures != 0 {
		t.Errorf("%d hits, %+v", good.hits.Load(), s)
	}
}

// TestRefusedThenDied: a request that had gone on from a target without a
// connection still has the one second try of a connection that died, and no third.
func TestRefusedThenDied(t *testing.T) {
	b := mustRaw(t, func(_ int, r *http.Request, c net.Conn) bool {
		return r.URL.Path == "/warm" && write(c, answerOK)
	})
	for method, want := range map[string]int64{http.MethodGet: 2, http.MethodPost: 1} {
		u := mustUpstream(t, Config{URLs: []string{b.URL, deadURL(t)}, EjectAfter: -1})
		warm(t, u, 4)
		before := b.requests.Load()
		u.turn.Store(1) // the dead one first
		if _, err := ask(u, request(t, method, "/", "")); err == nil {
			t.Fatal("an answer from nowhere")
		}
		if got := b.requests.Load() - before; got != want {
			t.Errorf("%s: sent %d times, want %d", method, got, want)
		}
	}
}

// TestStaleConnections: the upstream closed its side, or was restarted, while the
// connections were idle. Nothing of that reaches a client, whatever the method.
func TestStaleConnections(t *testing.T) {
	for name, end := range map[string]func(net.Conn){
		"closed": func(c net.Conn) { c.Close() },
		"reset":  func(c net.Conn) { reset(c) },
		"408":    func(c net.Conn) { write(c, "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"); c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			idle := make(chan net.Conn, 100)
			b := mustRaw(t, func(_ int, r *http.Request, c net.Conn) bool {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.URL.Path == "/warm" {
					idle <- c
				}
				return write(c, answerOK)
			})
			u := mustUpstream(t, Config{URLs: []string{b.URL}, EjectAfter: 1})
			for round := range 30 {
				warm(t, u, 3)
				for range 3 {
					end(<-idle)
				}
				method := []string{http.MethodPost, http.MethodGet, http.MethodPut}[round%3]
				if got, err := ask(u, request(t, method, "/", "body")); err != nil || got != "ok" {
					t.Fatalf("%s: %q, %v", method, got, err)
				}
			}
			if got := b.requests.Load(); got != 30*4 {
				t.Errorf("%d requests arrived, want %d", got, 30*4)
			}
			if s := u.Status()[0]; s.Failures != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestConnectTimeout(t *testing.T) {
	for name, url := range map[string]string{
		"dial":      "http://" + fullListener(t),
		"handshake": "https://" + mustSilent(t),
	} {
		t.Run(name, func(t *testing.T) {
			u := mustUpstream(t, Config{URLs: []string{url}, ConnectTimeout: 50 * time.Millisecond})
			begun := time.Now()
			_, err := ask(u, request(t, http.MethodPost, "/", "x"))
			failed, ok := errors.AsType[*Error](err)
			if !ok || !failed.Connect || !failed.Timeout() {
				t.Errorf("%v", err)
			}
			if d := time.Since(begun); d < 50*time.Millisecond || d > 5*time.Second {
				t.Errorf("after %v", d)
			}
			if s := u.Status()[0]; s.Failures != 1 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestCancelReachesTheBackEnd, before the answer and in the middle of it, and the
// error is the cause that the caller gave.
func TestCancelReachesTheBackEnd(t *testing.T) {
	for _, middle := range []bool{false, true} {
		started, gone := make(chan struct{}), make(chan struct{})
		b := mustBackend(t, func(w http.ResponseWriter, r *http.Request) {
			if middle {
				_, _ = io.WriteString(w, "half")
				_ = http.NewResponseController(w).Flush()
			}
			close(started)
			<-r.Context().Done()
			close(gone)
		})
		u := mustUpstream(t, Config{URLs: []string{b.URL}, MaxInFlight: 1})
		why := errors.New("the client left")
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() { <-started; cancel(why) }()
		_, err := ask(u, request(t, http.MethodGet, "/", "").WithContext(ctx))
		if err == nil || !middle && !errors.Is(err, why) {
			t.Errorf("%v", err)
		}
		<-gone
		if s := u.Status()[0]; s.InFlight != 0 || s.Failures != 0 {
			t.Errorf("%+v", s)
		}
	}
}
