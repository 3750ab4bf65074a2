package http1

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// httputil's proxy answers while net/http's transport, on another goroutine, reads the
// body still. What the lane reads away itself then must neither be read twice nor
// reach into the next request, and whoever comes late learns that there is no more.
func TestBodyReadBesideTheAnswer(t *testing.T) {
	const size = 60 << 10
	var late sync.WaitGroup
	defer late.Wait()
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		plain(w)
		if r.Method == http.MethodGet {
			fmt.Fprint(w, r.URL.Path)
			return
		}
		begun := make(chan struct{})
		late.Go(func() {
			p := make([]byte, 700)
			_, err := io.ReadFull(r.Body, p[:1])
			close(begun)
			for err == nil {
				_, err = r.Body.Read(p)
			}
			if !errors.Is(err, http.ErrBodyReadAfterClose) && !errors.Is(err, io.EOF) {
				t.Errorf("the late reader: %v", err)
			}
		})
		<-begun
		parts(w, 3, 1000)
	}))
	for range 30 {
		nc, in := r.dial()
		sent := make(chan error, 1)
		go func() {
			_, err := io.WriteString(nc, fmt.Sprintf("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size))
			for left := size; left > 0 && err == nil; left -= 1500 {
				_, err = io.WriteString(nc, strings.Repeat("b", min(left, 1500)))
			}
			if err == nil {
				_, err = io.WriteString(nc, "GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
			}
			sent <- err
		}()
		if _, got := r.read(in, "POST"); len(got) != 3000 {
			t.Fatalf("%d bytes", len(got))
		}
		if _, got := r.read(in, "GET"); got != "/next" {
			t.Fatalf("%q", got)
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		_ = nc.Close()
	}
}

// A body of which the answer's beginning has thrown the rest away does not look as if
// it had come to its end.
func TestBodyBehindTheAnswer(t *testing.T) {
	got := make(chan error, 1)
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 2)
		w.(http.Flusher).Flush()
		_, err := io.ReadAll(r.Body)
		got <- err
	}))
	nc, in := r.dial()
	r.send(nc, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
	r.read(in, "POST")
	if err := <-got; !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("%v, want %v", err, http.ErrBodyReadAfterClose)
	}
}

// The memory that a guess of the type takes does not grow with the body that HEAD
// has not.
func TestHeadKeepsLittle(t *testing.T) {
	kept := make(chan int, 1)
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		parts(w, 100, 1000)
		kept <- len(w.(*response).conn.body)
	}))
	nc, in := r.dial()
	r.send(nc, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
	r.read(in, "HEAD")
	if n := <-kept; n > 512 {
		t.Errorf("%d bytes kept", n)
	}
}
