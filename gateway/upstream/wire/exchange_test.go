package wire_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/gateway/upstream/wire"
	"tollgate/internal/testkit"
)

// TestRequestAsSent: the caller's fields go out as they are; what frames a message
// is ours.
func TestRequestAsSent(t *testing.T) {
	seen := make(chan *http.Request, 1)
	bodies := make(chan string, 1)
	b := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		text, _ := io.ReadAll(r.Body)
		seen <- r
		bodies <- string(text)
		_, _ = io.WriteString(c, head200+"Content-Length: 0\r\n\r\n")
	})
	_, _, err := ask(t, b.pool(t), &wire.Request{
		Method: "POST", Target: "/a%20b?c=d", Host: "back.test:81", Sized: true, Body: []byte("hello"),
		Header: http.Header{"A": {"1", "2"}, "Content-Length": {"99"}, "Transfer-Encoding": {"chunked"}, "Connection": {"A"}, "Host": {"evil"}, "Te": {"trailers"}, "Upgrade": {"h2c"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, body := <-seen, <-bodies
	if r.Method != "POST" || r.RequestURI != "/a%20b?c=d" || r.Host != "back.test:81" || body != "hello" || r.ContentLength != 5 || len(r.TransferEncoding) != 0 {
		t.Errorf("%s %s %s %q %d", r.Method, r.RequestURI, r.Host, body, r.ContentLength)
	}
	if got := fmt.Sprint(r.Header); got != "map[A:[1 2] Content-Length:[5]]" {
		t.Errorf("header %s", got)
	}
}

// TestNoFieldEndsALine: a value that would become two fields is not sent.
func TestNoFieldEndsALine(t *testing.T) {
	b := mustSay(t, head200+"Content-Length: 0\r\n\r\n", false)
	for _, v := range []string{"a\r\nX: y", "a\nb", "a\x00b", "a\rb"} {
		r := get()
		r.Header = http.Header{"A": {v}}
		if _, _, err := ask(t, b.pool(t), r); err == nil {
			t.Errorf("%q was sent", v)
		}
	}
}

// TestUnsolicitedAnswer: bytes that arrive on an idle connection are never the next
// request's answer.
func TestUnsolicitedAnswer(t *testing.T) {
	next := make(chan struct{})
	b := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
		for i := 0; readRequest(in) != nil; i++ {
			_, _ = fmt.Fprintf(c, head200+"Content-Length: 4\r\n\r\nmine")
			if i == 0 {
				<-next
				_, _ = fmt.Fprintf(c, head200+"Content-Length: 6\r\n\r\npoison")
				next <- struct{}{}
			}
		}
	})
	p, said := b.pool(t), int64(0)
	for range 5 {
		if _, body, err := ask(t, p, get()); err != nil || body != "mine" {
			t.Fatalf("%q, %v", body, err)
		}
		if n := b.conns.Load(); n > said { // each connection says more once, after its first answer
			said = n
			next <- struct{}{}
			<-next
		}
	}
	if n := b.conns.Load(); n < 2 {
		t.Errorf("%d connections: the poisoned one was used again", n)
	}
}

// TestStaleConnection: a back end closes what lies idle. Nobody notices who may
// send twice, or whose connection was seen to be closed.
func TestStaleConnection(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		b := mustSay(t, head200+"Content-Length: 2\r\n\r\nok", true) // closes without a word
		p := b.pool(t)
		for i := range 20 {
			r := get()
			if r.Method = method; method == "POST" {
				r.Sized, r.Body = true, []byte("x")
			}
			_, body, err := ask(t, p, r)
			if ended := (*wire.EndedError)(nil); method == "POST" && errors.As(err, &ended) && ended.Reused {
				continue // it ended while the request was under way: the caller's to judge
			}
			if err != nil || body != "ok" {
				t.Fatalf("%s %d: %q, %v", method, i, body, err)
			}
		}
	}
}

// TestSentAgainOnce: and only what may be, and only when not a byte came.
func TestSentAgainOnce(t *testing.T) {
	for _, row := range []struct {
		method, answer string
		want           int64 // requests that arrive
	}{
		{"GET", "", 2}, {"HEAD", "", 2}, {"OPTIONS", "", 2}, {"POST", "", 1}, {"DELETE", "", 1}, {"GET", "HTTP/1.1 2", 1},
	} {
		t.Run(row.method+row.answer, func(t *testing.T) {
			var arrived, conns atomic.Int64
			b := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
				if conns.Add(1) == 1 { // good once, then ends with the second request
					if readRequest(in) == nil {
						return
					}
					_, _ = io.WriteString(c, head200+"Content-Length: 0\r\n\r\n")
				}
				if readRequest(in) != nil {
					arrived.Add(1)
					_, _ = io.WriteString(c, row.answer)
				}
			})
			p := b.pool(t)
			if _, _, err := ask(t, p, get()); err != nil {
				t.Fatal(err)
			}
			r := get()
			r.Method = row.method
			if _, _, err := ask(t, p, r); err == nil {
				t.Fatal("answered")
			}
			if n := arrived.Load(); n != row.want {
				t.Errorf("sent %d times, want %d", n, row.want)
			}
		})
	}
}

// TestEarlyAnswer: a back end that answers before it has read the body does not
// lock up with us, and its answer counts even when it closes.
func TestEarlyAnswer(t *testing.T) {
	for _, closes := range []bool{false, true} {
		b := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
			for {
				r, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
				if closes {
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
			}
		})
		p := b.pool(t)
		for i := range 50 {
			r := &wire.Request{Method: "POST", Target: "/", Host: "x", Sized: true, Body: bytes.Repeat([]byte("b"), 64<<10), FirstByte: 5 * time.Second}
			status, body, err := ask(t, p, r)
			if closes && err != nil { // what it had not read resets the connection, maybe before we have read
				continue
			}
			if err != nil || status != 413 || body != "big" {
				t.Fatalf("closes %t, round %d: %d %q, %v", closes, i, status, body, err)
			}
		}
	}
}

// TestDeadlineThatStands: a deadline is left on a connection from one exchange to the
// next, and neither a later one nor one without, nor a time of rest, suffers from it.
func TestDeadlineThatStands(t *testing.T) {
	t.Parallel()
	late := make(chan time.Duration, 100)
	b := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
		for readRequest(in) != nil {
			time.Sleep(<-late)
			_, _ = io.WriteString(c, head200+"Content-Length: 2\r\n\r\nok")
		}
	})
	p := b.pool(t)
	exchange := func(wait, delay time.Duration) error {
		t.Helper()
		r := get()
		r.FirstByte = wait
		late <- delay
		_, body, err := ask(t, p, r)
		if err == nil && body != "ok" {
			t.Errorf("%q", body)
		}
		return err
	}
	for i, step := range []struct{ rest, wait, delay time.Duration }{
		{0, 3 * time.Second, 0},
		{time.Second, 3 * time.Second, 0}, // the one that stands is too near
		{0, 3 * time.Second, 2200 * time.Millisecond},
		{0, 3 * time.Second, 2200 * time.Millisecond},
		{3400 * time.Millisecond, 3 * time.Second, 0}, // it has passed while nobody read
		{0, 0, 3300 * time.Millisecond},               // nobody waits for it
		{0, time.Hour, 0},
	} {
		time.Sleep(step.rest)
		if err := exchange(step.wait, step.delay); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	if n := b.conns.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	if err := exchange(30*time.Millisecond, 5*time.Second); !errors.Is(err, wire.ErrFirstByte) { // nearer than the one that stands
		t.Errorf("%v, want %v", err, wire.ErrFirstByte)
	}
}

// TestFirstByte: the wait for the head is bounded, the body's time is its own.
func TestFirstByte(t *testing.T) {
	slow := mustBackend(t, func(_ net.Conn, in *bufio.Reader) {
		readRequest(in)
		_, _ = in.ReadByte() // until the other side closes
	})
	r := get()
	r.FirstByte = 30 * time.Millisecond
	if _, _, err := ask(t, slow.pool(t), r); !errors.Is(err, wire.ErrFirstByte) {
		t.Errorf("%v, want %v", err, wire.ErrFirstByte)
	}
	drip := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
		for readRequest(in) != nil {
			_, _ = io.WriteString(c, head200+"Content-Length: 3\r\n\r\n")
			for range 3 {
				time.Sleep(300 * time.Millisecond)
				_, _ = io.WriteString(c, "x")
			}
		}
	})
	p := drip.pool(t)
	r.FirstByte = 800 * time.Millisecond
	for range 2 { // the second on the connection that has had a deadline
		if _, body, err := ask(t, p, r); err != nil || body != "xxx" {
			t.Errorf("%q, %v", body, err)
		}
	}
	if n := drip.conns.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// TestCancel: the end of the caller's context ends the exchange in every phase, with
// its cause.
func TestCancel(t *testing.T) {
	why := errors.New("the client left")
	for name, answer := range map[string]string{"before the head": "", "within the head": "HTTP/1.1 2", "within the body": head200 + "Content-Length: 9\r\n\r\nhello"} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			b := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
				readRequest(in)
				_, _ = io.WriteString(c, answer)
				time.AfterFunc(20*time.Millisecond, func() { cancel(why) })
				_, _ = in.ReadByte()
			})
			p := b.pool(t)
			a, err := p.Do(ctx, get())
			if err == nil {
				_, err = io.ReadAll(a)
				_ = a.Close()
			}
			if !errors.Is(err, why) || p.Idle() != 0 {
				t.Errorf("%v, %d connections kept", err, p.Idle())
			}
		})
	}
}

// TestCancelRacesWithReturn: a cancel that comes as a connection goes back to the
// pool never ends the exchange of whoever takes it next.
func TestCancelRacesWithReturn(t *testing.T) {
	rounds := 100_000
	if testing.Short() {
		rounds = 5_000
	}
	b := mustSay(t, head200+"Content-Length: 2\r\n\r\nok", false)
	p := b.pool(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range rounds / 4 {
				ctx, cancel := context.WithCancel(t.Context())
				a, err := p.Do(ctx, get())
				if err != nil {
					t.Errorf("an exchange nobody has cancelled: %v", err)
					cancel()
					return
				}
				go cancel()
				if body, err := io.ReadAll(a); err == nil && string(body) != "ok" {
					t.Errorf("%q", body)
				}
				_ = a.Close()
			}
		})
	}
	all.Wait()
}

// TestIdleConnectionsEnd: what is not used is closed.
func TestIdleConnectionsEnd(t *testing.T) {
	b := mustSay(t, head200+"Content-Length: 2\r\n\r\nok", false)
	p := wire.NewPool(wire.Config{IdleTimeout: 20 * time.Millisecond, Dial: func(context.Context) (net.Conn, error) { return net.Dial("tcp", b.Addr().String()) }})
	t.Cleanup(p.Close)
	var held []*wire.Answer
	for range 3 {
		a, err := p.Do(t.Context(), get())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, a)
	}
	for _, a := range held {
		_, _ = io.ReadAll(a)
		_ = a.Close()
	}
	testkit.MustAwait(t, "no connection that still waits", func() bool { return p.Idle() == 0 })
}

// TestDialFails: nothing was sent, and that can be told.
func TestDialFails(t *testing.T) {
	p := wire.NewPool(wire.Config{Dial: func(context.Context) (net.Conn, error) { return nil, errors.New("nobody there") }})
	_, err := p.Do(t.Context(), get())
	if dial := (*wire.DialError)(nil); !errors.As(err, &dial) || !strings.Contains(err.Error(), "nobody there") {
		t.Errorf("%v", err)
	}
}

// BenchmarkDo is one exchange over a kept connection.
func BenchmarkDo(b *testing.B) {
	p := mustSay(b, lines("HTTP/1.1 200 OK", "Server: x", "Date: Sat, 21 Nov 2026 10:00:00 GMT", "Content-Type: text/plain", "Content-Length: 100", "", strings.Repeat("x", 100)), false).pool(b)
	r := get()
	r.FirstByte = time.Minute
	r.Header = http.Header{"Accept": {"*/*"}, "User-Agent": {"bench"}, "X-User-Id": {"1"}}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		a, err := p.Do(ctx, r)
		if err != nil {
			b.Fatal(err)
		}
		if piece, err := a.Next(); err != nil || len(piece) != 100 {
			b.Fatal(err)
		}
		_ = a.Close()
	}
}
