package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate/internal/server"
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
	t.Parallel()
	f := mustFiles(t, "a.example")
	got := make(chan outcome, 1)
	s := server.New(server.Config{BodyIdleTimeout: idle})
	s.AddPublic("public", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/other" {
			time.Sleep(3 * idle)
			_, _ = io.WriteString(w, r.RemoteAddr)
			return
		}
		w.Header().Set("X-Peer", r.RemoteAddr)
		reading(got).ServeHTTP(w, r)
	}), f.mustLoad(nil))
	r := mustRun(t, s)
	defer func() { r.stop(); _ = r.mustEnd() }()
	c := speaking(t, f.trusting(), h2)
	mustText(t, c, r.tlsURL("public")+"/other") // connects
	other := make(chan string, 1)
	go func() { other <- mustText(t, c, r.tlsURL("public")+"/other") }()
	body, answer := mustOpen(t, c, r.tlsURL("public"), nil)
	_, _ = io.WriteString(body, "abc")
	o := <-got
	if !errors.Is(o.err, server.ErrBodyIdle) || o.n != 3 || o.took < idle*9/10 || o.took > 5*idle {
		t.Errorf("read %d after %v: %v", o.n, o.took, o.err)
	}
	res, err := answer()
	if err != nil || res.StatusCode != 408 {
		t.Fatalf("answer %+v, %v", res, err)
	}
	if peer := <-other; peer != res.Header.Get("X-Peer") {
		t.Errorf("the other stream was %s, this one %s", peer, res.Header.Get("X-Peer"))
	}
}

func TestSlowBodyOverHTTP2(t *testing.T) {
	t.Parallel()
	got := make(chan outcome, 1)
	r := mustServe(t, reading(got))
	body, answer := mustOpen(t, speaking(t, nil, h2c), r.url("public"), nil)
	for range 8 {
		time.Sleep(idle / 3)
		_, _ = io.WriteString(body, "x")
	}
	body.Close()
	if o := <-got; o.err != nil || o.n != 8 {
		t.Errorf("read %d, %v", o.n, o.err)
	}
	if res, err := answer(); err != nil || res.StatusCode != 200 {
		t.Errorf("answer %+v, %v", res, err)
	}
}

// Once the answer has begun the stream flows both ways, and may be silent; a gRPC
// call may be silent before that too.
func TestStreamsMayBeSilent(t *testing.T) {
	t.Parallel()
	echo := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") == "" {
			_ = http.NewResponseController(w).Flush()
		}
		n, err := io.Copy(w, r.Body)
		if err != nil {
			t.Errorf("%s: read %d, %v", r.Header.Get("Content-Type"), n, err)
		}
	}
	for _, media := range []string{"", "application/grpc", "application/grpc+proto", "Application/gRPC-web"} {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			r := mustServe(t, http.HandlerFunc(echo))
			body, answer := mustOpen(t, speaking(t, nil, h2c), r.url("public"), func(req *http.Request) {
				if media != "" {
					req.Header.Set("Content-Type", media)
				}
			})
			for range 2 {
				time.Sleep(2 * idle)
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
	}
}

// A stream that is read while its answer begins is not cut by the limit that the
// read began under.
func TestAnswerLiftsTheLimitOfAWaitingRead(t *testing.T) {
	t.Parallel()
	r := mustServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		read := make(chan error, 1)
		go func() { _, err := io.Copy(io.Discard, r.Body); read <- err }()
		time.Sleep(idle / 2)
		_ = http.NewResponseController(w).Flush()
		if err := <-read; err != nil {
			t.Errorf("read: %v", err)
		}
	}))
	body, answer := mustOpen(t, speaking(t, nil, h2c), r.url("public"), nil)
	if res, err := answer(); err != nil || res.StatusCode != 200 {
		t.Fatalf("answer %+v, %v", res, err)
	}
	time.Sleep(2 * idle)
	body.Close()
}

// A handler that is gone leaves nothing behind that touches its stream.
func TestAbandonedReadOverHTTP2(t *testing.T) {
	t.Parallel()
	left := make(chan error, 1)
	r := mustServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		go func() {
			_, err := io.Copy(io.Discard, r.Body)
			_, again := r.Body.Read(make([]byte, 1))
			left <- errors.Join(err, again)
		}()
		time.Sleep(idle / 3)
	}))
	_, answer := mustOpen(t, speaking(t, nil, h2c), r.url("public"), nil)
	if res, err := answer(); err != nil || res.StatusCode != 200 {
		t.Fatalf("answer %+v, %v", res, err)
	}
	if err := <-left; err == nil || errors.Is(err, server.ErrBodyIdle) {
		t.Errorf("the read of a handler that is gone: %v", err)
	}
	time.Sleep(2 * idle) // where a timer would go off
}

// Behind the limit stands a reverse proxy: uploads stream through it, a silent
// client costs the upstream no connection for long.
func TestUploadThroughProxy(t *testing.T) {
	t.Parallel()
	got := make(chan outcome, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/early" {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		n, err := io.Copy(io.Discard, r.Body)
		got <- outcome{n: n, err: err}
	}))
	t.Cleanup(backend.Close)
	target, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			if errors.Is(err, server.ErrBodyIdle) {
				w.WriteHeader(http.StatusRequestTimeout)
				return
			}
			t.Errorf("proxy: %v", err)
		},
	}
	r := mustServe(t, proxy)
	const size = 24 << 20
	for _, set := range []func(*http.Protocols, bool){http1, h2c} {
		res, err := speaking(t, nil, set).Post(r.url("public"), "", io.LimitReader(endless{}, size))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if o := <-got; o.err != nil || o.n != size || res.StatusCode != 200 {
			t.Errorf("%s: %d, read %d, %v", res.Proto, res.StatusCode, o.n, o.err)
		}
		body, answer := mustOpen(t, speaking(t, nil, set), r.url("public"), nil)
		start := time.Now()
		_, _ = io.WriteString(body, "abc")
		if o := <-got; o.err == nil || o.n != 3 || time.Since(start) > 5*idle {
			t.Errorf("silent: the upstream read %d after %v, %v", o.n, time.Since(start), o.err)
		}
		if res, err := answer(); err != nil || res.StatusCode != 408 {
			t.Errorf("silent: %+v, %v", res, err)
		}
		body, answer = mustOpen(t, speaking(t, nil, set), r.url("public")+"/early", func(req *http.Request) { req.ContentLength = size })
		_, _ = io.WriteString(body, "abc")
		if res, err := answer(); err != nil || res.StatusCode != 413 {
			t.Errorf("early: %+v, %v", res, err)
		}
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
	r := mustServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1); err != nil {
			t.Errorf("form: %v", err)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "multipart-*"))
		during <- len(files)
	}))
	form := "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" + string(bytes.Repeat([]byte("x"), 11<<20)) + "\r\n--b--\r\n"
	res, err := client().Post(r.url("public"), "multipart/form-data; boundary=b", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if n := <-during; n != 1 {
		t.Fatalf("%d files on disk", n)
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		left, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d files are left", len(left))
		}
	}
}

// The context of a request under the limit ends as any other's.
func TestClientGoneDuringUpload(t *testing.T) {
	t.Parallel()
	entered, gone := make(chan struct{}), make(chan error, 1)
	r := mustServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		gone <- context.Cause(r.Context())
	}))
	conn := mustDial(t, r)
	_, _ = io.WriteString(conn, post+"Content-Length: 3\r\n\r\nabc")
	<-entered
	conn.Close()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("cause: %v", err)
	}
}
