package keys_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tollgate/keys"
)

func mustPublish(t *testing.T, s *keys.Set, maxAge time.Duration) *keys.Published {
	t.Helper()
	p, err := keys.Publish(s, maxAge)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func ask(p *keys.Published, method string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/.well-known/jwks.json", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	keys.Handler(func() *keys.Published { return p }).ServeHTTP(w, r)
	return w
}

func TestHandler(t *testing.T) {
	p := mustPublish(t, mustSet(t, mustKey(t, keys.ES256)), 299900*time.Millisecond)
	for _, c := range []struct {
		name   string
		p      *keys.Published
		method string
		header []string
		status int
		body   string
		want   map[string]string // "" for absent
	}{
		{"get", p, "GET", nil, 200, string(p.JWKS), map[string]string{
			"Content-Type": "application/json", "Cache-Control": "public, max-age=299", "ETag": p.ETag, "X-Content-Type-Options": "nosniff",
		}},
		{"head", p, "HEAD", nil, 200, "", map[string]string{"Content-Type": "application/json", "ETag": p.ETag}},
		{"same tag", p, "GET", []string{"If-None-Match", p.ETag}, 304, "", map[string]string{
			"ETag": p.ETag, "Cache-Control": "public, max-age=299", "Content-Type": "", "Content-Length": "",
		}},
		{"same tag, HEAD", p, "HEAD", []string{"If-None-Match", p.ETag}, 304, "", nil},
		{"weakened in transit", p, "GET", []string{"If-None-Match", "W/" + p.ETag}, 304, "", nil},
		{"in a list", p, "GET", []string{"If-None-Match", `"a", ` + p.ETag}, 304, "", nil},
		{"in a second field", p, "GET", []string{"If-None-Match", `"a"`, "If-None-Match", p.ETag}, 304, "", nil},
		{"star", p, "GET", []string{"If-None-Match", "*"}, 304, "", nil},
		{"another tag", p, "GET", []string{"If-None-Match", `"a"`}, 200, string(p.JWKS), nil},
		{"tag without quotes", p, "GET", []string{"If-None-Match", strings.Trim(p.ETag, `"`)}, 200, string(p.JWKS), nil},
		{"preflight", p, "OPTIONS", []string{"Origin", "https://a.example", "Access-Control-Request-Method", "GET"}, 204, "", map[string]string{
			"Access-Control-Allow-Methods": "GET, HEAD, OPTIONS", "Access-Control-Allow-Headers": "*",
		}},
		{"post", p, "POST", nil, 405, "", map[string]string{"Allow": "GET, HEAD, OPTIONS", "ETag": ""}},
		{"delete", p, "DELETE", nil, 405, "", map[string]string{"Allow": "GET, HEAD, OPTIONS"}},
		{"nothing to serve", nil, "GET", nil, 503, "", map[string]string{"Retry-After": "1", "Cache-Control": "no-store", "ETag": ""}},
		{"nothing to serve, preflight", nil, "OPTIONS", nil, 204, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := ask(c.p, c.method, c.header...)
			if w.Code != c.status || w.Body.String() != c.body {
				t.Errorf("%d %q, want %d %q", w.Code, w.Body, c.status, c.body)
			}
			for name, want := range c.want {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Error("no CORS header")
			}
		})
	}
}

func TestHandlerOverTheWire(t *testing.T) {
	p := mustPublish(t, mustSet(t, mustKey(t, keys.EdDSA)), 0)
	srv := httptest.NewServer(keys.Handler(func() *keys.Published { return p }))
	defer srv.Close()
	res, err := http.Head(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || res.ContentLength != int64(len(p.JWKS)) {
		t.Errorf("HEAD: %s, length %d of %d", res.Status, res.ContentLength, len(p.JWKS))
	}
	if got := res.Header.Get("Cache-Control"); got != "public, max-age=0" {
		t.Errorf("Cache-Control %q", got)
	}
}

func TestPublishTagsTheKeys(t *testing.T) {
	a, b := mustKey(t, keys.ES256), mustKey(t, keys.ES256)
	one := mustPublish(t, mustSet(t, a), time.Minute)
	if same := mustPublish(t, mustSet(t, a), time.Hour); same.ETag != one.ETag {
		t.Error("the same keys have two tags")
	}
	if other := mustPublish(t, mustSet(t, a, b), time.Minute); other.ETag == one.ETag {
		t.Error("other keys have the same tag")
	}
	if !strings.HasPrefix(one.ETag, `"`) || !strings.HasSuffix(one.ETag, `"`) {
		t.Errorf("tag %s has no quotes", one.ETag)
	}
	if _, err := keys.Publish(mustSet(t, a), -1); err == nil {
		t.Error("a negative max-age was published")
	}
}
