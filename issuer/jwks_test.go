package issuer_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/keys"
)

const jwksPath = "/.well-known/jwks.json"

func TestJWKS(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	get := k.Send(t, issuerkit.Request{Method: "GET", Path: jwksPath, Header: http.Header{"Origin": {"https://app.example"}, "Accept": {"application/jwk-set+json"}}}).Must(t, 200)
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag",
	} {
		if got := get.Header.Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	var set struct{ Keys []map[string]any }
	get.Into(t, &set)
	if len(set.Keys) != 2 {
		t.Fatalf("%d keys, want the active and the pending one", len(set.Keys))
	}
	for _, key := range set.Keys {
		for member := range key {
			if !slices.Contains([]string{"kty", "kid", "alg", "use", "crv", "x", "y"}, member) {
				t.Errorf("the key has the member %s", member)
			}
		}
		if key["alg"] != "ES256" || key["use"] != "sig" || key["kid"] == "" {
			t.Errorf("key %v", key)
		}
	}
	pair := k.MustLogin(t, "alice")
	if kid := issuerkit.Header(t, pair.Access)["kid"]; kid != set.Keys[0]["kid"] {
		t.Errorf("signed by %v, first published is %v", kid, set.Keys[0]["kid"])
	}
	head := k.Send(t, issuerkit.Request{Method: "HEAD", Path: jwksPath}).Must(t, 200)
	if head.Body != "" || head.Header.Get("Etag") != get.Header.Get("Etag") || head.Header.Get("Content-Length") != get.Header.Get("Content-Length") {
		t.Errorf("HEAD: %v", head.Header)
	}
}

func TestJWKSMethodsAndConditions(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	tag := k.Send(t, issuerkit.Request{Method: "GET", Path: jwksPath}).Must(t, 200).Header.Get("Etag")
	for _, row := range []struct {
		method, path string
		header       http.Header
		status       int
	}{
		{"GET", jwksPath, http.Header{"If-None-Match": {tag}}, 304},
		{"HEAD", jwksPath, http.Header{"If-None-Match": {`"x", W/` + tag}}, 304},
		{"GET", jwksPath, http.Header{"If-None-Match": {`"x"`}}, 200},
		{"GET", jwksPath, http.Header{"Authorization": {"Bearer garbage"}}, 200},
		{"OPTIONS", jwksPath, http.Header{"Origin": {"https://app.example"}, "Access-Control-Request-Method": {"GET"}}, 204},
		{"POST", jwksPath, nil, 405},
		{"DELETE", jwksPath, nil, 405},
		{"PURGE", jwksPath, nil, 405},
		{"GET", jwksPath + "/", nil, 404},
	} {
		a := k.Send(t, issuerkit.Request{Method: row.method, Path: row.path, Header: row.header})
		if a.Status != row.status {
			t.Errorf("%s %s %v: %d", row.method, row.path, row.header, a.Status)
		}
		if a.Status == 304 && (a.Body != "" || a.Header.Get("Etag") != tag) {
			t.Errorf("304: %v %q", a.Header, a.Body)
		}
		if a.Status == 405 && a.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("405: %v", a.Header)
		}
		if a.Status == 204 && a.Header.Get("Access-Control-Allow-Methods") == "" {
			t.Errorf("preflight: %v", a.Header)
		}
	}
	if _, _, err := k.Ring.Rotate(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	a := k.Send(t, issuerkit.Request{Method: "GET", Path: jwksPath, Header: http.Header{"If-None-Match": {tag}}}).Must(t, 200)
	if a.Header.Get("Etag") == tag || !strings.Contains(a.Body, `"kid"`) || !json.Valid([]byte(a.Body)) {
		t.Errorf("after a rotation: %v", a.Header)
	}
}

func TestNoKeys(t *testing.T) {
	k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) { c.Keys = func() *keys.Published { return nil } }})
	a := k.Send(t, issuerkit.Request{Method: "GET", Path: jwksPath}).Must(t, http.StatusServiceUnavailable)
	if a.Header.Get("Retry-After") == "" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", a.Header)
	}
}
