package gateway

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A path that two parsers could read differently is refused (security must-hold
// 12), whatever the route and without a token.
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
			if checkPath(r) == nil {
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
			if err := checkPath(r); err != nil {
				t.Error(err)
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
