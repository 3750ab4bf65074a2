package http1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprintf(w, "%s %s %s", r.Method, r.RequestURI, body)
})

// Requests that come together, in pieces, or a byte at a time are the same ones.
func TestPieces(t *testing.T) {
	text := "GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" +
		"PUT /c HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nA: " + strings.Repeat("x", 5000) + "\r\n\r\n!GET /d HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, size := range []int{1, 7, 1000, len(text)} {
		r := newRig(t, echo)
		nc, in := r.dial()
		go func() {
			for rest := text; rest != ""; {
				n := min(size, len(rest))
				_, _ = io.WriteString(nc, rest[:n])
				rest = rest[n:]
			}
		}()
		for _, want := range []string{"GET /a ", "POST /b hello", "PUT /c !", "GET /d "} {
			if _, got := r.read(in, "GET"); got != want {
				t.Errorf("by %d: %q, want %q", size, got, want)
			}
		}
	}
}

// What is not ordinary is given away with every byte, and what was ordinary before
// it has been answered.
func TestGivenAway(t *testing.T) {
	long := "GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("x", maxHead)
	for name, text := range map[string]string{
		"upgrade":        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\nframes",
		"chunked":        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"old":            "GET / HTTP/1.0\r\n\r\n",
		"preface":        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"TLS":            "\x16\x03\x01\x02\x00\x01",
		"bare line ends": "GET / HTTP/1.1\nHost: x\n\n",
		"empty line":     "\r\nGET / HTTP/1.1\r\n",
		"long":           long,
	} {
		for _, before := range []int{0, 2} {
			t.Run(fmt.Sprint(name, before), func(t *testing.T) {
				r := newRig(t, echo)
				nc, in := r.dial()
				r.send(nc, strings.Repeat("GET /x HTTP/1.1\r\nHost: x\r\n\r\n", before)+text)
				for range before {
					if _, got := r.read(in, "GET"); got != "GET /x " {
						t.Errorf("%q", got)
					}
				}
				got := <-r.away
				if !strings.HasPrefix(text, got) || got == "" || name != "long" && len(got) < min(len(text), 6) {
					t.Errorf("%q, want %q", got, text)
				}
			})
		}
	}
}

// A handler that takes its time learns that its client has left; one whose client
// only sends the next request does not.
func TestClientLeaves(t *testing.T) {
	for _, stays := range []bool{true, false} {
		began, ended := make(chan struct{}, 2), make(chan error, 2)
		r := newRig(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			began <- struct{}{}
			wait := 10 * time.Second
			if stays {
				wait = 6 * watchAfter
			}
			select {
			case <-r.Context().Done():
				ended <- context.Cause(r.Context())
			case <-time.After(wait):
				ended <- nil
			}
		}))
		nc, in := r.dial()
		r.send(nc, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
		<-began
		if stays {
			r.send(nc, "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
			for range 2 {
				if res, _ := r.read(in, "GET"); res.StatusCode != 200 {
					t.Errorf("%d", res.StatusCode)
				}
				if err := <-ended; err != nil {
					t.Errorf("ended: %v", err)
				}
			}
			continue
		}
		_ = nc.Close()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("not told: %v", err)
		}
	}
}

// After a request that was watched the connection goes on.
func TestAfterASlowRequest(t *testing.T) {
	r := newRig(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(3 * watchAfter) }))
	nc, in := r.dial()
	for range 3 {
		r.send(nc, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if res, _ := r.read(in, "GET"); res.StatusCode != 200 || res.Close {
			t.Errorf("%+v", res)
		}
	}
}

func TestTimeouts(t *testing.T) {
	short := func(c *Config) { c.HeaderTimeout, c.IdleTimeout = 500*time.Millisecond, 500*time.Millisecond }
	for name, text := range map[string]string{
		"nothing": "", "a part": "GET / HT", "idle": "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "a part behind": "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /",
	} {
		r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }), short)
		nc, in := r.dial()
		r.send(nc, text)
		if strings.HasSuffix(text, "/") || strings.HasSuffix(text, "\n") {
			r.read(in, "GET")
		}
		if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 { // until we are cut off
			t.Errorf("%s: %q, %v", name, rest, err)
		}
	}
}

// A panic cuts the connection in the middle of the answer and is told once; that to
// abort is not.
func TestPanic(t *testing.T) {
	for fault, told := range map[any]bool{"lost": true, http.ErrAbortHandler: false} {
		r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic(fault)
		}))
		nc, in := r.dial()
		r.send(nc, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = io.ReadAll(res.Body); err == nil {
			t.Error("the half looks whole")
		}
		if strings.Contains(r.log.String(), "panic serving") != told {
			t.Errorf("%v: log %q", fault, r.log)
		}
	}
}

// Whoever is still sending gets the answer behind which the connection is closed.
func TestAnswerBeforeTheEnd(t *testing.T) {
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }))
	for range 20 {
		nc, in := r.dial()
		r.send(nc, strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1000))
		if res, _ := r.read(in, "GET"); !res.Close {
			t.Error("no Connection: close")
		}
	}
}

func TestShutdown(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	r := newRig(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			began <- struct{}{}
			<-goOn
		}
	}))
	unused, _ := r.dial()
	waiting, in := r.dial()
	r.send(waiting, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	r.read(in, "GET")
	busy, answer := r.dial()
	r.send(busy, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	<-began
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.lane.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a request is under way: %v", err)
	}
	for name, nc := range map[string]net.Conn{"unused": unused, "waiting": waiting} {
		if n, err := nc.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("%s: open", name)
		}
	}
	close(goOn)
	if res, _ := r.read(answer, "GET"); !res.Close {
		t.Error("the last answer does not say so")
	}
	if err := r.lane.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	late, _ := r.dial()
	if _, err := late.Read(make([]byte, 1)); err == nil {
		t.Error("a connection after the end")
	}
}
