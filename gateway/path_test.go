package gateway

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A path that two parsers could read differently is refused, whatever the
// route and without a token.
func TestMustHold12_AmbiguousPathsAreRefused(t *testing.T) {
	for _, target := range []string{
		"/a/../b", "/a/./b", "/..", "/.", "/a/..", "/a/%2e%2e/b", "/%2E/a", "/a/.%2e/", "//a", "/a//b", "/a//",
		"/a%2fb", "/a%2Fb", "/a%5cb", "/a%5Cb", "/a%00b", "/a;b", "/a/..;/b", "/a\\b", "/a#b", "/a%0ab", "/a%0db", "/a%7fb", "/a%01",
		"http://other/a//b", "*",
	} {
		t.Run(target, func(t *testing.T) {
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(fmt.Sprintf("GET %s HTTP/1.1\r\nHost: h\r\n\r\n", target))))
			if err != nil {
				return // net/http answers 400 by itself
			}
			if at, err := readTarget(r); err == nil && at.spelling == 0 {
				t.Errorf("accepted: path %q, raw %q", r.URL.Path, r.URL.RawPath)
			}
		})
	}
}

func TestOrdinaryPathsPass(t *testing.T) {
	for _, target := range []string{
		"/", "/a", "/a/", "/a/b.c", "/a/...", "/a/..b", "/.well-known/x", "/a%20b", "/%C3%A9", "/a?x=//&y=..;", "/a%252fb", "/a|b", "/a:b@c",
	} {
		t.Run(target, func(t *testing.T) {
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(fmt.Sprintf("GET %s HTTP/1.1\r\nHost: h\r\n\r\n", target))))
			if err != nil {
				t.Fatal(err)
			}
			if at, err := readTarget(r); err != nil || at.spelling != 0 {
				t.Error(at, err)
			}
		})
	}
}

// What was matched is what is forwarded, byte for byte.
func TestForwardedPathIsTheClients(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: `
version: 1
upstreams: {app: {urls: ["BACKEND"]}, base: {urls: ["BACKEND/base/"]}}
routes:
  - {name: all, match: {path: /}, upstream: app, auth: {mode: none}}
  - {name: strip, match: {path: /s/}, upstream: app, auth: {mode: none}, rewrite: {strip_prefix: /s}}
  - {name: base, match: {path: /b}, upstream: base, auth: {mode: none}, rewrite: {strip_prefix: /b}}
`})
	for _, c := range []struct{ sent, want string }{
		{"/a%20b/%C3%A9?x=1&y=a%2Fb", "/a%20b/%C3%A9?x=1&y=a%2Fb"},
		{"/%61dmin", "/%61dmin"},
		{"/s/x%20y?q", "/x%20y?q"},
		{"/s", "/"},
		{"/s/", "/"},
		{"/b/x", "/base/x"},
		{"/b", "/base/"},
	} {
		t.Run(c.sent, func(t *testing.T) {
			before := len(e.requests())
			if res, body := e.get(t, "GET", c.sent); res.StatusCode != 200 {
				t.Fatalf("%d %s", res.StatusCode, body)
			}
			if got := e.requests()[before].RequestURI; got != c.want {
				t.Errorf("upstream saw %q, want %q", got, c.want)
			}
		})
	}
}

// A route may allow a spelling; what is matched then is what was written: no
// prefix is found across an encoded slash, and no other reading leads elsewhere.
func TestAllowedSpellings(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: `
version: 1
upstreams: {app: {urls: ["BACKEND"]}}
routes:
  - {name: public, match: {path: /pub, allow: [encoded_slash, semicolon, double_slash]}, upstream: app, auth: {mode: none}}
  - {name: secret, match: {path: /pub/secret}, upstream: app}
  - {name: rest, match: {path: /}, upstream: app, auth: {mode: none}}
`})
	for _, c := range []struct {
		path   string
		status int
	}{
		{"/pub/a%2Fb", 200}, {"/pub/a;v=1/b", 200}, {"/pub//a", 200}, {"/pub/a%2f%2e%2e%2fsecret", 400}, {"/pub/..;/secret", 400}, {"/pub/%2e%2e/x", 400},
		{"/x/a%2Fb", 400}, {"/x;a", 400}, {"/x//a", 400}, {"/pub/secret", 401}, {"/pub/secret%2Fx", 400}, {"/pub/secrets%2Fx", 200}, {"/pub/;/secret", 400}, {"/pub/a%5cb", 400}, {"/pub/a%00", 400},
	} {
		if res, body := e.get(t, "GET", c.path); res.StatusCode != c.status {
			t.Errorf("%s: %d %s, want %d", c.path, res.StatusCode, body, c.status)
		}
	}
}
