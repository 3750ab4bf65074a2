package upstream

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

// talk is a gRPC-like handler: it answers each piece as it comes and ends with
// trailers.
func talk(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Trailer", "Grpc-Status")
	w.Header().Set("X-Proto", r.Proto)
	_ = http.NewResponseController(w).Flush()
	p := make([]byte, 64)
	for {
		n, err := r.Body.Read(p)
		_, _ = w.Write(p[:n])
		_ = http.NewResponseController(w).Flush()
		if err != nil {
			break
		}
	}
	w.Header().Set("Grpc-Status", "0")
	w.Header().Set(http.TrailerPrefix+"Grpc-Message", r.Trailer.Get("X-End"))
}

func mustH2C(t *testing.T, h http.HandlerFunc, change ...func(*http.Server)) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	for _, c := range change {
		c(s.Config)
	}
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// TestHTTP2 streams both ways at once, over TLS and with prior knowledge, and
// finds the trailers of both sides.
func TestHTTP2(t *testing.T) {
	ca := newAuthority(t)
	caFile := file(t, "ca.pem", ca.pem)
	for name, c := range map[string]Config{
		"TLS": {URLs: []string{mustTLS(t, ca, tls.NoClientCert, true, talk).URL}, CAFile: caFile, HTTP2: true},
		"h2c": {URLs: []string{mustH2C(t, talk).URL}, HTTP2: true},
	} {
		t.Run(name, func(t *testing.T) {
			u := mustUpstream(t, c)
			for range 3 {
				in, out := io.Pipe()
				r := request(t, http.MethodPost, "/echo", "x")
				r.Body, r.ContentLength = in, -1
				r.Trailer = http.Header{"X-End": nil}
				res, err := u.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				if res.ProtoMajor != 2 || res.Header.Get("X-Proto") != "HTTP/2.0" {
					t.Errorf("%s answered by %s", res.Header.Get("X-Proto"), res.Proto)
				}
				p := make([]byte, 4)
				for _, piece := range []string{"ping", "pong"} {
					if _, err := io.WriteString(out, piece); err != nil {
						t.Fatal(err)
					}
					if _, err := io.ReadFull(res.Body, p); err != nil || string(p) != piece {
						t.Fatalf("%q, %v", p, err)
					}
				}
				r.Trailer.Set("X-End", "bye")
				out.Close()
				if _, err := io.ReadAll(res.Body); err != nil {
					t.Fatal(err)
				}
				if res.Trailer.Get("Grpc-Status") != "0" || res.Trailer.Get("Grpc-Message") != "bye" {
					t.Errorf("trailers %v", res.Trailer)
				}
				if got := u.Status()[0].InFlight; got != 1 {
					t.Errorf("%d in flight before Close", got)
				}
				res.Body.Close()
				if got := u.Status()[0].InFlight; got != 0 {
					t.Errorf("%d in flight after Close", got)
				}
			}
		})
	}
}

// TestHTTP2SharesAConnection: a stream that goes on does not keep others waiting
// for quiet.
func TestHTTP2SharesAConnection(t *testing.T) {
	ca := newAuthority(t)
	var connections atomic.Int64
	for name, start := range map[string]func(http.HandlerFunc) (*httptest.Server, Config){
		"TLS": func(h http.HandlerFunc) (*httptest.Server, Config) {
			s := mustTLS(t, ca, tls.NoClientCert, true, h)
			return s, Config{CAFile: file(t, "ca.pem", ca.pem)}
		},
		"h2c": func(h http.HandlerFunc) (*httptest.Server, Config) { return mustH2C(t, h), Config{} },
	} {
		t.Run(name, func(t *testing.T) {
			connections.Store(0)
			seen := sync.Map{}
			s, c := start(func(w http.ResponseWriter, r *http.Request) {
				if _, old := seen.LoadOrStore(r.RemoteAddr, true); !old {
					connections.Add(1)
				}
				talk(w, r)
			})
			c.URLs, c.HTTP2, c.MaxInFlight = []string{s.URL}, true, 100
			u := mustUpstream(t, c)
			in, out := io.Pipe()
			r := request(t, http.MethodPost, "/stream", "x")
			r.Body, r.ContentLength = in, -1
			res, err := u.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				for {
					if _, err := io.WriteString(out, "noise"); err != nil {
						return
					}
				}
			}()
			var drain sync.WaitGroup
			drain.Go(func() { _, _ = io.Copy(io.Discard, res.Body) })
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					if got, err := ask(u, request(t, http.MethodPost, "/", "hello")); err != nil || got != "hello" {
						t.Errorf("%q, %v", got, err)
					}
				})
			}
			all.Wait()
			out.Close()
			drain.Wait()
			res.Body.Close()
			if n := connections.Load(); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// TestHTTP2StreamsThatDie: the connection under a stream ends without a byte of
// the answer. A GET is sent once more, a POST is not.
func TestHTTP2StreamsThatDie(t *testing.T) {
	type own struct{}
	var hits atomic.Int64
	s := mustH2C(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/warm" {
			return
		}
		hits.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		r.Context().Value(own{}).(net.Conn).Close()
		<-r.Context().Done()
	}, func(s *http.Server) {
		s.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, own{}, c) }
	})
	u := mustUpstream(t, Config{URLs: []string{s.URL}, HTTP2: true})
	for _, c := range []struct {
		method, body string
		want         int64
	}{{http.MethodGet, "", 2}, {http.MethodPost, "", 1}, {http.MethodPost, "x", 1}, {http.MethodGet, "x", 1}} {
		if _, err := ask(u, request(t, http.MethodGet, "/warm", "")); err != nil {
			t.Fatal(err)
		}
		hits.Store(0)
		if _, err := ask(u, request(t, c.method, "/", c.body)); err == nil {
			t.Error("an answer from nowhere")
		}
		if got := hits.Load(); got != c.want {
			t.Errorf("%s %q sent %d times, want %d", c.method, c.body, got, c.want)
		}
	}
}

// TestHTTP2FallsBack to HTTP/1.1 where TLS did not agree to more. The tickets
// that TLS 1.3 sends unasked do not cost the connection.
func TestHTTP2FallsBack(t *testing.T) {
	ca := newAuthority(t)
	from := make(chan string, 20)
	s := mustTLS(t, ca, tls.NoClientCert, false, func(w http.ResponseWriter, r *http.Request) {
		from <- r.RemoteAddr
		_, _ = io.WriteString(w, r.Proto)
	})
	u := mustUpstream(t, Config{URLs: []string{s.URL}, HTTP2: true, CAFile: file(t, "ca.pem", ca.pem)})
	mustGet(t, u, "HTTP/1.1")
	first := <-from
	for range 20 {
		mustGet(t, u, "HTTP/1.1")
		if again := <-from; again != first {
			t.Fatal("another connection")
		}
	}
}

// TestUpgradeBesideHTTP2: a tunnel travels by HTTP/1.1, the rest does not.
func TestUpgradeBesideHTTP2(t *testing.T) {
	serve := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			_, _ = io.WriteString(w, r.Proto)
			return
		}
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		write(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello")
		_, _ = io.Copy(c, rw)
	}
	ca := newAuthority(t)
	for name, c := range map[string]Config{
		"TLS": {URLs: []string{mustTLS(t, ca, tls.NoClientCert, true, serve).URL}, CAFile: file(t, "ca.pem", ca.pem), HTTP2: true},
		"h2c": {URLs: []string{mustH2C(t, serve).URL}, HTTP2: true},
	} {
		t.Run(name, func(t *testing.T) {
			u := mustUpstream(t, c)
			mustGet(t, u, "HTTP/2.0")
			r := request(t, http.MethodGet, "/", "")
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", "websocket")
			res, err := u.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			speakThrough(t, res)
			mustGet(t, u, "HTTP/2.0")
		})
	}
}
