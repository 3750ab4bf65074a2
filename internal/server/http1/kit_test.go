package http1

import (
	"bufio"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// rig is a lane behind a port, with what it gave away.
type rig struct {
	*testing.T
	lane *Lane
	addr string
	away chan string
	log  *testkit.Buffer
}

func newRig(t *testing.T, h http.Handler, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{T: t, away: make(chan string, 16), log: &testkit.Buffer{}}
	c := Config{Handler: h, Server: &http.Server{}, HeaderTimeout: time.Minute, IdleTimeout: time.Minute, Log: log.New(r.log, "", 0)}
	for _, f := range change {
		f(&c)
	}
	r.lane = New(c)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = l.Addr().String()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				rest, open := r.lane.Serve(t.Context(), nc, nil)
				if open {
					r.away <- string(rest)
					_ = nc.Close()
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		r.lane.Close()
		serving.Wait()
	})
	return r
}

func (r *rig) dial() (net.Conn, *bufio.Reader) {
	r.Helper()
	nc, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	return nc, bufio.NewReader(nc)
}

func (r *rig) send(nc net.Conn, text string) {
	r.Helper()
	if _, err := io.WriteString(nc, text); err != nil {
		r.Fatal(err)
	}
}

// read reads one answer whole.
func (r *rig) read(in *bufio.Reader, method string) (*http.Response, string) {
	r.Helper()
	res, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		r.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.Fatal(err)
	}
	return res, string(text)
}
