package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"tollgate/gateway"
)

// TestMountKeys: the path is the key set's on our hosts, with every method, and an
// ordinary path on others.
func TestMountKeys(t *testing.T) {
	say := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
	}
	for _, c := range []struct {
		hosts              []string
		method, host, path string
		want               string
	}{
		{nil, "GET", "any.example", "/.well-known/jwks.json", "keys"},
		{nil, "PROPFIND", "any.example", "/.well-known/jwks.json", "keys"},
		{nil, "GET", "any.example", "/.well-known/other", "rest"},
		{nil, "GET", "any.example", "/.well-known/%6awks.json", "keys"},
		{[]string{"id.example"}, "GET", "id.example", "/.well-known/jwks.json", "keys"},
		{[]string{"id.example"}, "GET", "ID.example.:8443", "/.well-known/jwks.json", "keys"},
		{[]string{"id.example"}, "GET", "shop.example", "/.well-known/jwks.json", "rest"},
	} {
		public := gateway.NewPublic(say("rest"), nil)
		public.MountKeys(say("keys"), c.hosts)
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		public.ServeHTTP(w, r)
		if w.Body.String() != c.want {
			t.Errorf("%s http://%s%s with the hosts %v: %d %q, want %q", c.method, c.host, c.path, c.hosts, w.Code, w.Body, c.want)
		}
	}
}
