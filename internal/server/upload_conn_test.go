package server_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/internal/server"
)

// A connection that was taken over is its handler's alone, with a body or without.
func TestHijackEndsTheLimit(t *testing.T) {
	for _, head := range []string{"", "Content-Length: 3\r\n"} {
		t.Run(head, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := mustRig(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					c, rw, err := http.NewResponseController(w).Hijack()
					if err != nil {
						t.Errorf("hijack: %v", err)
						return
					}
					go func() { // goes on when the handler has returned
						defer c.Close()
						_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\n\r\n")
						_ = rw.Flush()
						text, err := rw.ReadString('\n')
						if err != nil {
							t.Errorf("after %q: %v", text, err)
						}
						_, _ = io.WriteString(c, text)
					}()
				}))
				conn := r.mustDial()
				_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+head+"\r\n")
				in := bufio.NewReader(conn)
				if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "101") {
					t.Fatalf("%q, %v", line, err)
				}
				time.Sleep(10 * idle)
				_, _ = io.WriteString(conn, "hello\n")
				if rest, err := io.ReadAll(in); err != nil || string(rest) != "\r\nhello\n" {
					t.Errorf("%q, %v", rest, err)
				}
			})
		})
	}
}

// A handler's own deadline holds where it is the earlier one.
func TestOwnDeadline(t *testing.T) {
	for _, tt := range []struct {
		name string
		own  time.Duration // 0: none
		took time.Duration
		ours bool
	}{
		{"earlier", idle / 3, idle / 3, false},
		{"later", time.Hour, idle, true},
		{"none", 0, idle, true},
		{"over", -time.Second, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := make(chan outcome, 1)
				r := mustRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					var own time.Time
					if tt.own != 0 {
						own = time.Now().Add(tt.own)
					}
					if err := http.NewResponseController(w).SetReadDeadline(own); err != nil {
						t.Errorf("set: %v", err)
					}
					reading(got).ServeHTTP(w, r)
				}))
				conn := r.mustDial()
				_, _ = io.WriteString(conn, post+"Content-Length: 100\r\n\r\n")
				_, _ = io.ReadAll(conn)
				o := <-got
				if !errors.Is(o.err, os.ErrDeadlineExceeded) || errors.Is(o.err, server.ErrBodyIdle) != tt.ours || o.took != tt.took {
					t.Errorf("after %v: %v", o.took, o.err)
				}
			})
		})
	}
}

// Over HTTP/1.1 both directions at once have to be asked for.
func TestFullDuplex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := mustRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			if err := rc.EnableFullDuplex(); err != nil {
				t.Errorf("full duplex: %v", err)
			}
			_ = rc.Flush()
			if _, err := io.Copy(w, r.Body); err != nil {
				t.Errorf("copy: %v", err)
			}
		}))
		conn := r.mustDial()
		_, _ = io.WriteString(conn, post+"Content-Length: 3\r\n\r\n")
		in := bufio.NewReader(conn)
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * idle)
		_, _ = io.WriteString(conn, "abc")
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != "abc" {
			t.Errorf("%q, %v", body, err)
		}
	})
}

func TestContinueIsSentWhenTheBodyIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan outcome, 1)
		r := mustRig(t, reading(got))
		conn := r.mustDial()
		_, _ = io.WriteString(conn, post+"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
		in := bufio.NewReader(conn)
		if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != 100 {
			t.Fatalf("%+v, %v", res, err)
		}
		_, _ = io.WriteString(conn, "abc")
		if status, _ := mustAnswer(t, in); status != 200 {
			t.Errorf("answered %d", status)
		}
		if o := <-got; o.err != nil || o.n != 3 {
			t.Errorf("read %d, %v", o.n, o.err)
		}
	})
}

// The context of a request under the limit ends as any other's.
func TestClientGoneDuringUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entered, gone := make(chan struct{}, 1), make(chan error, 1)
		r := mustRig(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			entered <- struct{}{}
			<-r.Context().Done()
			gone <- context.Cause(r.Context())
		}))
		conn := r.mustDial()
		_, _ = io.WriteString(conn, post+"Content-Length: 3\r\n\r\nabc")
		<-entered
		time.Sleep(10 * idle)
		conn.Close()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("cause: %v", err)
		}
	})
}
