package gateway

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

const checkFile = `
version: 1
upstreams: {app: {urls: ["http://127.0.0.1:1"]}}
routes:
  - {name: exact, match: {hosts: [a.example.com], path: /api, methods: [GET]}, upstream: app}
  - {name: exact-write, match: {hosts: [a.example.com], path: /api, methods: [POST]}, upstream: app}
  - {name: wild, match: {hosts: ["*.example.com"], path: /api/deep}, upstream: app}
  - {name: wilder, match: {hosts: ["*.com"], path: /api/deep/x}, upstream: app}
  - {name: any, match: {path: /api/v1}, upstream: app}
  - {name: root, match: {path: /}, upstream: app}
  - {name: elsewhere, match: {hosts: [b.test], path: /api}, upstream: app}
  - {name: far, match: {path: /far}, upstream: app}
`

// Check names the route that Match names, and of the others those that came
// nearest, each with its reason.
func TestCheckSaysWhyNotOthers(t *testing.T) {
	table, err := ReadRoutes([]byte(checkFile), Defaults{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, url, route string
		status             int
		others             []Other
	}{
		{"GET", "http://a.example.com/api/deep/x/1", "exact", 0, []Other{
			{"wilder", "a more special host goes before a longer path, and its hosts are *.com"},
			{"wild", "a more special host goes before a longer path, and its hosts are *.example.com"},
			{"exact-write", "it takes POST only"},
		}},
		{"GET", "http://x.example.com:8080/api/deep", "wild", 0, []Other{
			{"root", "a more special host goes before a longer path, and its hosts are any"},
			{"exact", "its hosts are a.example.com"},
			{"exact-write", "its hosts are a.example.com"},
		}},
		{"GET", "/api/v1x", "root", 0, []Other{
			{"exact", "its hosts are a.example.com"}, {"exact-write", "its hosts are a.example.com"}, {"elsewhere", "its hosts are b.test"},
		}},
		{"GET", "/api/v1/x", "any", 0, []Other{
			{"root", "its path / is shorter"}, {"exact", "its hosts are a.example.com"}, {"exact-write", "its hosts are a.example.com"},
		}},
		{"DELETE", "http://a.example.com/api", "", http.StatusMethodNotAllowed, []Other{
			{"exact", "it takes GET, HEAD only"}, {"exact-write", "it takes POST only"},
			{"root", "a longer path or a more special host belongs to routes that do not take the method"},
		}},
		{"GET", "http://b.test/ap", "root", 0, nil},
	} {
		f, err := table.Check(c.method, c.url)
		if err != nil {
			t.Fatal(err)
		}
		name := ""
		if f.Route != nil {
			name = f.Route.Name
		}
		if name != c.route || f.Status != c.status || !reflect.DeepEqual(f.Others, c.others) {
			t.Errorf("%s %s: %s %d\n got %v\nwant %v", c.method, c.url, name, f.Status, f.Others, c.others)
		}
	}
}

// No member of the description that was there goes away, and those that say what a
// route does with a request are there in words of the routes file.
func TestDescriptionIsWhole(t *testing.T) {
	table, err := ReadRoutes([]byte(strings.Replace(strings.ReplaceAll(one(`auth: {token_from: [header, "query:t"]}, origins: ["https://o.test"], cors: {origins: ["https://c.test"]},
 close_streams: false, forward_authorization: false, rewrite: {preserve_host: true}, limits: {rate: 5/m, body: 1KiB}`), "BACKEND", "http://127.0.0.1:1"),
		"path: /}", "path: /, allow: [double_slash, semicolon]}", 1)), Defaults{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(table.Routes()[0].Describe())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"token_from":["header","query:t"]`, `"origins":["https://o.test"]`, `"cors_origins":["https://c.test"]`, `"close_streams":false`,
		`"forward_authorization":false`, `"preserve_host":true`, `"rate":"5/m per subject"`, `"body_limit":1024`, `"allow":["semicolon","double_slash"]`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %s", text, want)
		}
	}
	plain, err := SingleRoute("http://127.0.0.1:1", Defaults{})
	if err != nil {
		t.Fatal(err)
	}
	if d := plain.Routes()[0].Describe(); !d.CloseStreams || !d.ForwardAuthorization || d.Allow != nil || d.Origins != nil || d.CORSOrigins != nil {
		t.Errorf("the defaults: %+v", d)
	}
}

// A back end that does not begin to answer within the route's timeout goes out.
func TestRouteTimeoutEjects(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	e := mustEdge(t, edgeOptions{
		routes: "version: 1\nupstreams: {app: {urls: [\"BACKEND\"], eject: {after: 2}}}\n" +
			"routes: [{name: all, match: {path: /}, upstream: app, auth: {mode: none}, timeout: 100ms}]\n",
		handler: func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		},
	})
	target := func() (failures int, out bool) {
		s := e.gateway.Table().Upstreams()[0].Status()[0]
		return s.Failures, !s.Ejected.IsZero()
	}
	for n := 1; n <= 2; n++ {
		if res, _ := e.get(t, "GET", "/"); res.StatusCode != http.StatusGatewayTimeout {
			t.Fatalf("%d", res.StatusCode)
		}
		if failures, out := target(); failures != n || out != (n == 2) {
			t.Errorf("after %d: %d failures, out: %v", n, failures, out)
		}
	}
}
