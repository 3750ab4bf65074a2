package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const tableFile = `
version: 1
upstreams: {u: {urls: ["http://127.0.0.1:1"]}}
routes:
  - {name: root, match: {path: /}, upstream: u}
  - {name: api, match: {path: /api/}, upstream: u}
  - {name: api-admin, match: {path: /api/admin, methods: [GET]}, upstream: u}
  - {name: api-admin-post, match: {path: /api/admin, methods: [POST]}, upstream: u}
  - {name: shop, match: {hosts: [Shop.example.com], path: /}, upstream: u}
  - {name: shop-ws, match: {hosts: [shop.example.com], path: /ws/}, upstream: u}
  - {name: wild, match: {hosts: ["*.example.com"], path: /}, upstream: u}
  - {name: deep, match: {hosts: ["*.eu.example.com"], path: /deep}, upstream: u}
`

func TestTableMatch(t *testing.T) {
	table, err := ReadRoutes([]byte(tableFile), Defaults{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ host, path, method, want, allow string }{
		{"h", "/", "GET", "root", ""},
		{"h", "/x/y", "DELETE", "root", ""},
		{"h", "/api", "GET", "api", ""},
		{"h", "/api/", "GET", "api", ""},
		{"h", "/apix", "GET", "root", ""},
		{"h", "/api/x", "GET", "api", ""},
		{"h", "/api/admin", "GET", "api-admin", ""},
		{"h", "/api/admin/x", "HEAD", "api-admin", ""},
		{"h", "/api/admin", "POST", "api-admin-post", ""},
		// No shorter prefix takes over: /api may be public where /api/admin is not.
		{"h", "/api/admin", "PUT", "", "GET,HEAD,POST"},
		{"shop.example.com", "/", "GET", "shop", ""},
		{"SHOP.example.com:8443", "/ws/x", "GET", "shop-ws", ""},
		{"shop.example.com.", "/ws", "GET", "shop-ws", ""},
		{"a.example.com", "/api/admin", "PUT", "wild", ""},
		{"a.b.example.com", "/", "GET", "wild", ""},
		{"a.eu.example.com", "/deep/x", "GET", "deep", ""},
		{"a.eu.example.com", "/shallow", "GET", "wild", ""},
		{"example.com", "/", "GET", "root", ""},
	} {
		t.Run(c.method+" "+c.host+c.path, func(t *testing.T) {
			r, allow := table.Match(c.host, c.path, c.method)
			name := ""
			if r != nil {
				name = r.Name
			}
			if name != c.want || strings.Join(allow, ",") != c.allow {
				t.Errorf("got %q allow %v, want %q allow %q", name, allow, c.want, c.allow)
			}
		})
	}
}

// Every fault comes at once, by the route's name; those of the YAML by line.
func TestReadRoutesFaults(t *testing.T) {
	_, err := ReadRoutes([]byte(`
version: 1
upstreams: {u: {urls: ["ftp://x", "http://user:hunter2@h"]}, none: {urls: []}}
routes:
  - {name: "a b", match: {path: api}, upstream: nowhere}
  - {name: dup, match: {path: /x, methods: [get], hosts: ["a:80"]}, upstream: u, auth: {mode: maybe, token_types: [refresh]}}
  - {name: dup, match: {path: /y}, upstream: u, rewrite: {strip_prefix: /z}, identity_headers: {X_User: sub, Connection: sub, X-Ok: "a b"}}
  - {name: e, match: {path: /q%2f}, upstream: u, revocation: {on_unavailable: perhaps}}
  - {name: f, match: {path: /y/}, upstream: u}
`), Defaults{})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		`"ftp://x" is neither http nor https`, `upstream "none" has no urls`, `route 1: a name`, `upstream "nowhere"`, `match.path`,
		`"get" is not a method`, `"a:80" is not a host name`, `auth.mode`, `token_types may hold access`, `the name is used twice`,
		`strip_prefix "/z" is not a prefix`, `identity header "X_User"`, `identity header "Connection"`, `"a b" is not the name of a claim`,
		`"e": match.path`, `on_unavailable is deny or allow`, `route "f": route "dup" takes the same`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing fault %q in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the fault shows a password:\n%v", err)
	}
}

func TestReadRoutesNamesLineAndColumn(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{"version: 1\nroutes:\n  - name: a\n    match: {pathh: /}\n", "[4:"},
		{"version: 1\nversion: 1\n", "[2:"},
		{"version: 2\nroutes: [{name: a, match: {path: /}, upstream: u}]\n", "version 1"},
		{"version: 1\nroutes: [{name: a, match: {path: /}, timeout: 5}]\n", "not a duration"},
		{"", "version"},
		{"version: 1\n---\nversion: 1\n", "more than one document"},
	} {
		t.Run(c.yaml, func(t *testing.T) {
			if _, err := ReadRoutes([]byte(c.yaml), Defaults{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestSingleRouteGuardsTheWholeSite(t *testing.T) {
	table, err := SingleRoute("http://127.0.0.1:1/base", Defaults{UserIDClaim: "user_id"})
	if err != nil {
		t.Fatal(err)
	}
	r, _ := table.Match("any", "/x", "GET")
	if r == nil || r.Mode != Required || !slices.ContainsFunc(r.Identity, func(h IdentityHeader) bool { return h.Name == "X-User-Id" }) {
		t.Errorf("route %+v", r)
	}
	if _, err := SingleRoute("nonsense", Defaults{}); err == nil {
		t.Error("a URL without scheme was accepted")
	}
}

// The cost of a match is that of the path's depth, not of the number of routes.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1, 1000} {
		var sb strings.Builder
		sb.WriteString("version: 1\nupstreams: {u: {urls: [\"http://127.0.0.1:1\"]}}\nroutes:\n")
		for i := range n {
			fmt.Fprintf(&sb, "  - {name: r%d, match: {path: /p%d}, upstream: u}\n", i, i)
		}
		table, err := ReadRoutes([]byte(sb.String()), Defaults{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if r, _ := table.Match("h", "/p0/a/b/c", "GET"); r == nil {
					b.Fatal("no route")
				}
			}
		})
	}
}
