package upstream

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func mustUpstream(t *testing.T, c Config) *Upstream {
	t.Helper()
	if c.Name == "" {
		c.Name = "app"
	}
	u, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

// backend is a real server that counts what reaches it.
type backend struct {
	*httptest.Server
	hits atomic.Int64
}

func mustBackend(t *testing.T, h http.HandlerFunc) *backend {
	t.Helper()
	b := &backend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.hits.Add(1)
		if h != nil {
			h(w, r)
			return
		}
		_, _ = io.WriteString(w, "ok")
	}))
	t.Cleanup(b.Close)
	return b
}

// script says what a raw back end does with the n-th request, from 1, of all its
// connections; it returns whether the connection stays.
type script func(n int, r *http.Request, c net.Conn) bool

// rawBackend speaks bytes, so that it can misbehave.
type rawBackend struct {
	URL         string
	requests    atomic.Int64
	connections atomic.Int64
	listener    net.Listener
}

func mustRaw(t *testing.T, play script) *rawBackend {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &rawBackend{URL: "http://" + l.Addr().String(), listener: l}
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b.connections.Add(1)
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			all.Go(func() { b.serve(c, play) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return b
}

func (b *rawBackend) serve(c net.Conn, play script) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if !play(int(b.requests.Add(1)), r, c) {
			return
		}
	}
}

const answerOK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// write sends bytes as they are.
func write(c net.Conn, text string) bool {
	_, err := io.WriteString(c, text)
	return err == nil
}

// reset ends a connection by RST.
func reset(c net.Conn) bool {
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
	return false
}

// deadURL is where nobody listens, and nobody else can while the test runs.
func deadURL(t *testing.T) string {
	t.Helper()
	_, address := mustBind(t)
	return "http://" + address
}

func request(t *testing.T, method, target, body string) *http.Request {
	t.Helper()
	var from io.Reader
	if body != "" {
		from = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target, from)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Scheme, r.URL.Host, r.Host = "", "", ""
	return r
}

// ask sends a request through the pool and reads the answer to its end.
func ask(u *Upstream, r *http.Request) (string, error) {
	res, err := u.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return string(text), err
}

func get(t *testing.T, u *Upstream) (string, error) {
	t.Helper()
	return ask(u, request(t, http.MethodGet, "/", ""))
}

func mustGet(t *testing.T, u *Upstream, want string) {
	t.Helper()
	if got, err := get(t, u); err != nil || got != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

// clock is a time that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_700_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// mustBind returns a socket that has an address and does not listen.
func mustBind(t *testing.T) (fd int, address string) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fd, net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
}

// fullListener returns the address of a socket whose queue of connections is
// full and never emptied: a dial to it gets no answer.
func fullListener(t *testing.T) string {
	t.Helper()
	fd, address := mustBind(t)
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return address
}

// mustSilent returns an address that takes connections and says nothing.
func mustSilent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}
