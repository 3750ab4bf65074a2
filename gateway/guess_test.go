package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"tollgate/internal/telemetry"
)

// A back end that names no type of its answer may have its reasons, and a page that
// is taken for HTML because it looks like it runs scripts: nothing is guessed here, on
// either way and over either version.
func TestNoTypeIsGuessed(t *testing.T) {
	const page = "<html><script>alert(1)</script>"
	e := mustEdge(t, edgeOptions{
		routes: "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app, auth: {mode: none}}]\n",
		handler: func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/none":
				w.Header()["Content-Type"] = nil
			case "/named":
				w.Header().Set("Content-Type", "text/plain")
			case "/dropped":
				w.Header().Set("Content-Type", "text/plain")
				w.Header().Set("Connection", "Content-Type")
			case "/hinted":
				w.WriteHeader(http.StatusEarlyHints)
				w.Header()["Content-Type"] = nil
			}
			_, _ = io.WriteString(w, page)
		},
	})
	front := httptest.NewUnstartedServer(telemetry.Handler(NewPublic(e.gateway, nil), telemetry.Options{Metrics: e.Metrics}))
	front.EnableHTTP2 = true
	front.StartTLS()
	defer front.Close()
	for path, want := range map[string]string{"/none": "", "/named": "text/plain", "/dropped": "", "/hinted": ""} {
		for way, header := range map[string]string{"short": "A", "long": "Te"} { // a client's TE is net/http's to judge
			for _, base := range []string{e.URL, front.URL} {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set(header, "trailers")
				res, err := front.Client().Transport.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if got := res.Header.Get("Content-Type"); err != nil || string(body) != page || got != want {
					t.Errorf("%s, %s way, %s: type %q, want %q (%q, %v)", path, way, res.Proto, got, want, body, err)
				}
			}
		}
	}
}
