package server_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/internal/server"
	"tollgate/internal/testkit"
)

// mustOpen begins a request over HTTP/2 whose body the test writes itself.
func mustOpen(t *testing.T, c *http.Client, url string, set func(*http.Request)) (body *io.PipeWriter, answer func() (*http.Response, error)) {
	t.Helper()
	in, out := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), "POST", url, in)
	if err != nil {
		t.Fatal(err)
	}
	if set != nil {
		set(req)
	}
	type result struct {
		res *http.Response
		err error
	}
	got := make(chan result, 1)
	go func() {
		res, err := c.Do(req)
		got <- result{res, err}
	}()
	t.Cleanup(func() { out.Close() })
	return out, func() (*http.Response, error) {
		r := <-got
		if r.res != nil {
			t.Cleanup(func() { r.res.Body.Close() })
		}
		return r.res, r.err
	}
}

// A silent body costs its stream; the others on the connection go on.
func TestSilentBodyOverHTTP2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan outcome, 1)
		r := mustRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/other" {
				time.Sleep(3 * idle)
				return
			}
			reading(got).ServeHTTP(w, r)
		}))
		c := r.client(h2c)
		other := make(chan error, 1)
		go func() {
			res, err := c.Get(rigURL + "/other")
			if err == nil {
				res.Body.Close()
			}
			other <- err
		}()
		synctest.Wait() // the connection is there
		body, answer := mustOpen(t, c, rigURL, nil)
		_, _ = io.WriteString(body, "abc")
		time.Sleep(idle / 2)
		_, _ = io.WriteString(body, "def")
		o := <-got
		if !errors.Is(o.err, server.ErrBodyIdle) || o.n != 6 || o.took != idle*3/2 {
			t.Errorf("read %d after %v: %v", o.n, o.took, o.err)
		}
		if res, err := answer(); err != nil || res.StatusCode != 408 {
			t.Fatalf("answer %+v, %v", res, err)
		}
		if err := <-other; err != nil {
			t.Errorf("the other stream: %v", err)
		}
		if r.net.dialled.Load() != 1 {
			t.Errorf("%d connections", r.net.dialled.Load())
		}
	})
}

func TestSlowBodyOverHTTP2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan outcome, 1)
		r := mustRig(t, reading(got))
		body, answer := mustOpen(t, r.client(h2c), rigURL, nil)
		for range 8 {
			time.Sleep(idle - time.Second)
			_, _ = io.WriteString(body, "x")
		}
		body.Close()
		if o := <-got; o.err != nil || o.n != 8 {
			t.Errorf("read %d, %v", o.n, o.err)
		}
		if res, err := answer(); err != nil || res.StatusCode != 200 {
			t.Errorf("answer %+v, %v", res, err)
		}
	})
}

// Once the answer has begun the stream flows both ways, and may be silent; a gRPC
// call may be silent before that too.
func TestStreamsMayBeSilent(t *testing.T) {
	for _, media := range []string{"", "application/grpc", "application/grpc+proto", "Application/gRPC-web"} {
		t.Run(media, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := mustRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if media == "" {
						_ = http.NewResponseController(w).Flush()
					}
					if n, err := io.Copy(w, r.Body); err != nil {
						t.Errorf("read %d, %v", n, err)
					}
				}))
				body, answer := mustOpen(t, r.client(h2c), rigURL, func(req *http.Request) { req.Header.Set("Content-Type", media) })
				for range 2 {
					time.Sleep(10 * idle)
					_, _ = io.WriteString(body, "abc")
				}
				body.Close()
				res, err := answer()
				if err != nil {
					t.Fatal(err)
				}
				if text, err := io.ReadAll(res.Body); err != nil || string(text) != "abcabc" {
					t.Errorf("%q, %v", text, err)
				}
			})
		})
	}
}

// A read that waits while the answer begins is not cut by the limit that it began
// under.
func TestAnswerLiftsTheLimitOfAWaitingRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := mustRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			read := make(chan error, 1)
			go func() { _, err := io.Copy(io.Discard, r.Body); read <- err }()
			time.Sleep(idle - time.Second)
			_ = http.NewResponseController(w).Flush()
			if err := <-read; err != nil {
				t.Errorf("read: %v", err)
			}
		}))
		body, answer := mustOpen(t, r.client(h2c), rigURL, nil)
		res, err := answer()
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("answer %+v, %v", res, err)
		}
		time.Sleep(10 * idle)
		body.Close()
		_, _ = io.ReadAll(res.Body)
	})
}

// A handler that is gone leaves nothing behind that touches its stream.
func TestAbandonedReadOverHTTP2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := make(chan error, 1)
		r := mustRig(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			go func() {
				_, err := io.Copy(io.Discard, r.Body)
				_, again := r.Body.Read(make([]byte, 1))
				left <- errors.Join(err, again)
			}()
			time.Sleep(time.Second)
		}))
		_, answer := mustOpen(t, r.client(h2c), rigURL, nil)
		if res, err := answer(); err != nil || res.StatusCode != 200 {
			t.Fatalf("answer %+v, %v", res, err)
		}
		if err := <-left; err == nil || errors.Is(err, server.ErrBodyIdle) {
			t.Errorf("the read of a handler that is gone: %v", err)
		}
		time.Sleep(2 * idle) // where a timer would go off
	})
}

// Behind the limit stands a reverse proxy: uploads stream through it, a silent
// client costs the upstream no connection for long.
func TestUploadThroughProxy(t *testing.T) {
	for name, set := range protocols() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				upstream, got := mustBackend(t)
				r := mustRig(t, &httputil.ReverseProxy{
					Rewrite:   func(p *httputil.ProxyRequest) { p.Out.URL.Host = "upstream.test"; p.Out.URL.Scheme = "http" },
					Transport: &http.Transport{DialContext: upstream.dial, DisableKeepAlives: true},
					ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
						// Over HTTP/1.1 net/http ends the context of a request whose
						// connection has failed a read: either may be seen first.
						// So may the end of a pipe that the back end has closed behind its
						// early answer, which net/http's transport then forgets.
						early := r.URL.Path == "/early" && errors.Is(err, io.ErrClosedPipe)
						if !errors.Is(err, server.ErrBodyIdle) && r.Context().Err() == nil && !early {
							t.Errorf("proxy: %v", err)
						}
						w.WriteHeader(http.StatusRequestTimeout)
					},
				})
				proxied(t, r.client(set), got)
			})
		})
	}
}

func mustBackend(t *testing.T) (*network, <-chan outcome) {
	t.Helper()
	upstream, got := newNetwork(), make(chan outcome, 1)
	backend := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/early" {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		n, err := io.Copy(io.Discard, r.Body)
		got <- outcome{n: n, err: err}
	})}
	go func() { _ = backend.Serve(upstream) }()
	t.Cleanup(func() { backend.Close() })
	return upstream, got
}

func proxied(t *testing.T, c *http.Client, got <-chan outcome) {
	const size = 24 << 20
	res, err := c.Post(rigURL, "", io.LimitReader(endless{}, size))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if o := <-got; o.err != nil || o.n != size || res.StatusCode != 200 {
		t.Errorf("large: %d, read %d, %v", res.StatusCode, o.n, o.err)
	}
	start := time.Now()
	body, answer := mustOpen(t, c, rigURL, nil)
	_, _ = io.WriteString(body, "abc")
	if o := <-got; o.err == nil || o.n != 3 || took(start) != idle {
		t.Errorf("silent: the upstream read %d in %v, %v", o.n, took(start), o.err)
	}
	if res, err := answer(); err != nil || res.StatusCode != 408 {
		t.Errorf("silent: %+v, %v", res, err)
	}
	for range 20 { // until the answer is read before the closed pipe is noticed
		start = time.Now()
		body, answer = mustOpen(t, c, rigURL+"/early", func(req *http.Request) { req.ContentLength = size })
		_, _ = io.WriteString(body, "abc")
		if res, err = answer(); err != nil || took(start) > idle || res.StatusCode != 408 {
			break
		}
		res.Body.Close()
	}
	if err != nil || res.StatusCode != 413 || took(start) > idle {
		t.Errorf("early: %+v, %v after %v", res, err, took(start))
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// What a form's files took on disk is given back, although the handler worked on a
// copy of the request.
func TestFormFilesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	during := make(chan int, 1)
	s := server.New(server.Config{})
	s.AddPublic("public", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1); err != nil {
			t.Errorf("form: %v", err)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "multipart-*"))
		during <- len(files)
	}), nil)
	r := mustRun(t, s)
	defer func() { r.stop(); _ = r.mustEnd() }()
	form := "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" + string(bytes.Repeat([]byte("x"), 11<<20)) + "\r\n--b--\r\n"
	res, err := client().Post(r.url("public"), "multipart/form-data; boundary=b", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if n := <-during; n != 1 {
		t.Fatalf("%d files on disk", n)
	}
	testkit.MustAwait(t, "a folder without files", func() bool {
		left, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(left) == 0
	})
}
