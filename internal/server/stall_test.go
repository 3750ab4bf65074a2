package server_test

import (
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"

	"tollgate/internal/server"
)

// pouring writes until somebody stops it, and says what did.
func pouring(got chan<- error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		piece := make([]byte, 32<<10)
		for range 16 << 10 { // 512 MiB
			if _, err := w.Write(piece); err != nil {
				got <- err
				return
			}
			if r.URL.Path == "/flushed" {
				if err := http.NewResponseController(w).Flush(); err != nil {
					got <- err
					return
				}
			}
		}
		got <- nil
	})
}

func mustPour(t *testing.T, idle time.Duration) (addr string, got <-chan error) {
	t.Helper()
	ends := make(chan error, 4)
	s := server.New(server.Config{AnswerIdleTimeout: idle, ShutdownTimeout: time.Second})
	s.AddPublic("public", "127.0.0.1:0", pouring(ends), nil)
	r := mustRun(t, s)
	t.Cleanup(func() { r.stop(); _ = r.mustEnd() })
	return r.Addr("public").String(), ends
}

func mustEndPouring(t *testing.T, got <-chan error) {
	t.Helper()
	select {
	case err := <-got:
		if err == nil {
			t.Error("all of it was taken")
		}
	case <-time.After(30 * time.Second):
		t.Error("the handler is still held up")
	}
}

// A client that takes nothing of its answer, and whose connection is well otherwise,
// holds it up for AnswerIdleTimeout.
func TestClientThatTakesNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends such connections")
	}
	for name, head := range map[string]string{
		"an ordinary request": "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"net/http's":          "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"flushed":             "GET /flushed HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			addr, got := mustPour(t, time.Second)
			nc, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			if _, err := io.WriteString(nc, head); err != nil {
				t.Fatal(err)
			}
			mustEndPouring(t, got)
		})
	}
}

// One that is slow is not cut, however long it takes.
func TestSlowReaderIsBorne(t *testing.T) {
	addr, got := mustPour(t, 2*time.Second)
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := io.WriteString(nc, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	piece := make([]byte, 512<<10)
	for range 20 {
		time.Sleep(200 * time.Millisecond)
		if _, err := io.ReadFull(nc, piece); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-got:
		t.Errorf("ended with %v", err)
	default:
	}
}
