package gateway

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

const toldRoutes = `
version: 1
upstreams: {app: {urls: ["BACKEND"]}}
routes:
  - name: all
    match: {path: /}
    upstream: app
    identity_headers: {X-Email: email, X-Request-Id: number, X-User-Id: user_id}
`

// TestToldByBothWays: what the back end is told is the same by the short way and by
// net/http's proxy, each header once, whatever else bears its name.
func TestToldByBothWays(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: toldRoutes, trusted: TrustedProxies{netip.MustParsePrefix("127.0.0.0/8")}})
	forged := []string{
		"X-Email", "forged", "X_Email", "forged", "X-Real-Ip", "203.0.113.9", "X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "shop.example",
		"X-Forwarded-Port", "443", "X-Request-Id", "client-1", "X-User-Id", "forged", "x_user_id", "forged",
	}
	for _, row := range []struct {
		name   string
		claims map[string]any
		want   map[string]string
	}{
		{"no such claims", nil, map[string]string{"X-Email": ""}},
		{"claims", map[string]any{"email": "a@b.example", "number": "7"}, map[string]string{"X-Email": "a@b.example", "X-Request-Id": "7"}},
	} {
		raw := e.token(t, func(c map[string]any) {
			for name, value := range row.claims {
				c[name] = value
			}
		})
		var seen [2]http.Header
		for i, body := range []io.Reader{strings.NewReader("hello"), struct{ io.Reader }{strings.NewReader("hello")}} {
			req, err := http.NewRequest("POST", e.URL+"/x", body)
			if err != nil {
				t.Fatal(err)
			}
			for j := 0; j < len(forged); j += 2 {
				req.Header[forged[j]] = []string{forged[j+1]}
			}
			req.Header.Set("Authorization", "Bearer "+raw)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != 200 {
				t.Fatalf("%s: %d", row.name, res.StatusCode)
			}
			all := e.requests()
			seen[i] = all[len(all)-1].Header
			if ours := res.Header.Get("X-Request-Id"); row.claims == nil && seen[i].Get("X-Request-Id") != ours || ours == "client-1" {
				t.Errorf("way %d: request %q, told %q", i, ours, seen[i].Get("X-Request-Id"))
			}
			seen[i].Del("Content-Length")
		}
		for way, h := range seen {
			row.want["X-User-Id"], row.want["X-Forwarded-For"], row.want["X-Forwarded-Proto"] = "42", "203.0.113.9, 127.0.0.1", "https"
			row.want["X-Forwarded-Host"], row.want["X-Forwarded-Port"], row.want["X-Real-Ip"] = "shop.example", "443", "203.0.113.9"
			for name, want := range row.want {
				if got := h.Values(name); strings.Join(got, "|") != want {
					t.Errorf("%s, way %d: %s is %q, want %q", row.name, way, name, got, want)
				}
			}
			for name, values := range h {
				if strings.Contains(strings.Join(values, ""), "forged") {
					t.Errorf("%s, way %d: %s %q", row.name, way, name, values)
				}
			}
		}
		if len(seen[0]) != len(seen[1]) {
			t.Errorf("%s:\n%v\n%v", row.name, seen[0], seen[1])
		}
	}
}
