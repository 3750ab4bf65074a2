package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"tollgate/internal/server"
)

func TestHSTS(t *testing.T) {
	t.Parallel()
	f := mustFiles(t, "a.example")
	answers := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/own": // as a back end behind a proxy may say it
			w.Header().Add("Strict-Transport-Security", "max-age=1; includeSubDomains")
			w.WriteHeader(http.StatusNotFound)
		case "/hint":
			w.WriteHeader(http.StatusEarlyHints)
			clear(w.Header())
			_, _ = io.WriteString(w, "x")
		case "/flush":
			_ = http.NewResponseController(w).Flush()
		case "/copy":
			_, _ = w.(io.ReaderFrom).ReadFrom(http.NoBody)
		}
	})
	s := server.New(server.Config{})
	s.AddPublic("tls", "127.0.0.1:0", server.HSTS(answers, 36*time.Hour+time.Millisecond), f.mustLoad(nil))
	s.AddPublic("off", "127.0.0.1:0", server.HSTS(answers, 0), f.mustLoad(nil))
	s.AddPublic("plain", "127.0.0.1:0", server.HSTS(answers, time.Hour), nil)
	r := mustRun(t, s)
	defer func() { r.stop(); _ = r.mustEnd() }()
	for _, tt := range []struct {
		url  string
		want []string
	}{
		{r.tlsURL("tls") + "/", []string{"max-age=129600"}},
		{r.tlsURL("tls") + "/own", []string{"max-age=129600"}},
		{r.tlsURL("tls") + "/hint", []string{"max-age=129600"}},
		{r.tlsURL("tls") + "/flush", []string{"max-age=129600"}},
		{r.tlsURL("tls") + "/copy", []string{"max-age=129600"}},
		{r.tlsURL("off") + "/", nil},
		{r.url("plain") + "/", nil},
		{r.url("plain") + "/own", []string{"max-age=1; includeSubDomains"}},
	} {
		for _, c := range []*http.Client{speaking(t, f.trusting(), http1), speaking(t, f.trusting(), h2, http1)} {
			res, err := c.Get(tt.url)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if got := res.Header["Strict-Transport-Security"]; !slices.Equal(got, tt.want) {
				t.Errorf("%s (%s): %q, want %q", tt.url, res.Proto, got, tt.want)
			}
		}
	}
}

func TestHSTSOffIsTheHandlerItself(t *testing.T) {
	var calls int
	h := server.HSTS(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if _, same := w.(*httptest.ResponseRecorder); !same {
			t.Errorf("a %T is between", w)
		}
	}), 0)
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "https://x/", nil))
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}
