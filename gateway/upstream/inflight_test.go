package upstream

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
)

// closing notes that a request body was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

// TestMaxInFlight: a place is taken until the answer's body is closed, or the
// request failed, and a tunnel holds its place for its life.
func TestMaxInFlight(t *testing.T) {
	b := mustRaw(t, func(_ int, r *http.Request, c net.Conn) bool {
		switch r.URL.Path {
		case "/fail":
			return false
		case "/none":
			return write(c, "HTTP/1.1 204 No Content\r\n\r\n")
		case "/ws":
			write(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello")
			_, _ = io.Copy(c, c)
			return false
		}
		return write(c, answerOK)
	})
	u := mustUpstream(t, Config{URLs: []string{b.URL}, MaxInFlight: 2})
	open := func(path string) (*http.Response, error) {
		r := request(t, http.MethodGet, path, "")
		if path == "/ws" {
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", "websocket")
		}
		return u.RoundTrip(r)
	}
	inFlight := func(want int) {
		t.Helper()
		if got := u.Status()[0].InFlight; got != want || u.inflight.Load() != int64(want) {
			t.Fatalf("%d in flight of the target, %d of all, want %d", got, u.inflight.Load(), want)
		}
	}
	first, err := open("/")
	if err != nil {
		t.Fatal(err)
	}
	inFlight(1)
	tunnel, err := open("/ws")
	if err != nil {
		t.Fatal(err)
	}
	inFlight(2)
	body := &closing{}
	r := request(t, http.MethodPost, "/", "x")
	r.Body = body
	if _, err := u.RoundTrip(r); !errors.Is(err, ErrBusy) || !body.closed {
		t.Errorf("over the bound: %v, body closed: %v", err, body.closed)
	}
	if _, err := io.ReadAll(first.Body); err != nil {
		t.Fatal(err)
	}
	inFlight(2) // read to its end, but not closed
	first.Body.Close()
	first.Body.Close()
	inFlight(1)
	if _, err := open("/fail"); err == nil {
		t.Error("an answer from nowhere")
	}
	inFlight(1)
	none, err := open("/none")
	if err != nil {
		t.Fatal(err)
	}
	inFlight(1) // nothing is to come
	none.Body.Close()
	speakThrough(t, tunnel)
	inFlight(1)
	tunnel.Body.Close()
	inFlight(0)
	u.Close() // gives up what is idle, not the upstream: old routes may hold it
	mustGet(t, u, "ok")
}

// speakThrough uses a tunnel both ways and ends our half.
func speakThrough(t *testing.T, res *http.Response) {
	t.Helper()
	both, ok := res.Body.(io.ReadWriteCloser)
	if !ok || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%d with a %T", res.StatusCode, res.Body)
	}
	in := bufio.NewReader(both)
	if got, err := in.Peek(5); err != nil || string(got) != "hello" {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := io.WriteString(both, " world"); err != nil {
		t.Fatal(err)
	}
	if err := both.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(in); err != nil || string(got) != "hello world" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNoTarget(t *testing.T) {
	u := &Upstream{}
	body := &closing{}
	r := request(t, http.MethodPost, "/", "x")
	r.Body = body
	if _, err := u.RoundTrip(r); !errors.Is(err, ErrNone) || !body.closed {
		t.Errorf("%v", err)
	}
	u.Close()
}
