package gateway

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestConnectionOfAnAnswer: what a back end names in Connection was between it and us,
// and goes. What we say in the same fields is ours and stays, whichever way the request
// went.
func TestConnectionOfAnAnswer(t *testing.T) {
	const page = "https://pages.example"
	for _, row := range []struct {
		name   string
		origin string
	}{{"CORS is ours", page}, {"CORS is the back end's", ""}} {
		e := mustEdge(t, edgeOptions{
			routes: "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app, auth: {mode: none}, cors: {origins: [" + row.origin + "]}}]\n",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				h := w.Header()
				h["Connection"] = []string{"keep-alive, X-A", "x-b,X-A, Vary,vary, X-Request-Id, Access-Control-Allow-Origin, Connection, Content-Type"}
				h["X-A"], h["X-B"], h["X-C"], h["Vary"] = []string{"1", "2"}, []string{"3"}, []string{"4"}, []string{"Accept"}
				h["X-Request-Id"], h["Content-Type"] = []string{"forged"}, []string{"text/html"}
				h["Access-Control-Allow-Origin"] = []string{"https://other.example"}
				_, _ = io.WriteString(w, "hello")
			},
		})
		for _, way := range []string{"", "trailers"} { // the second is for net/http's proxy
			headers := []string{"Origin", page}
			if way != "" {
				headers = append(headers, "Te", way)
			}
			res, body := e.get(t, http.MethodGet, "/", headers...)
			want := map[string]string{"X-A": "", "X-B": "", "X-C": "4", "Vary": "", "Content-Type": "", "Access-Control-Allow-Origin": row.origin}
			if row.origin != "" {
				want["Vary"] = "Origin"
			}
			for name, value := range want {
				if got := strings.Join(res.Header[name], "|"); got != value {
					t.Errorf("%s, %q: %s is %q, want %q", row.name, way, name, got, value)
				}
			}
			if id := res.Header["X-Request-Id"]; body != "hello" || len(id) != 1 || len(id[0]) != 32 {
				t.Errorf("%s, %q: %q, request %q", row.name, way, body, id)
			}
		}
	}
}
