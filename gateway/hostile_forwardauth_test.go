package gateway

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// questionAttacks are what a client can slip into the question of a proxy that is
// trusted and forwards its headers: the request must be named in one way alone.
func questionAttacks() []attack {
	traefik := func(uri string, more ...string) string {
		return ask("/auth/verify", append([]string{"X-Forwarded-Method: GET", "X-Forwarded-Host: h", "X-Forwarded-Uri: " + uri}, more...)...)
	}
	nginx := func(uri string, more ...string) string {
		return ask("/auth/verify", append([]string{"X-Original-Method: GET", "X-Original-URI: " + uri}, more...)...)
	}
	list := []attack{
		{"a public page", traefik("/public/x"), "200", nil, ""},
		{"a page with a token", nginx("/x", bearer), "200", nil, ""},
		{"no token", traefik("/x"), "401", nil, ""},
		{"two tokens", nginx("/x", bearer, bearer), "400", nil, ""},
		{"too little scope", nginx("/admin", bearer), "403", nil, ""},
		{"the target in the other way, too", nginx("/admin", bearer, "X-Forwarded-Uri: /public"), "400", nil, ""},
		{"the target in the other way, too, reversed", traefik("/admin", bearer, "X-Original-URI: /public"), "400", nil, ""},
		{"the target as a URL, too", traefik("/admin", bearer, "X-Original-URL: http://h/public"), "400", nil, ""},
		{"the method in the other way, too", nginx("/read", "X-Forwarded-Method: POST"), "400", nil, ""},
		{"the target twice", traefik("/admin", bearer, "X-Forwarded-Uri: /admin"), "400", nil, ""},
		{"the method twice", nginx("/admin", bearer, "X-Original-Method: GET"), "400", nil, ""},
		{"the host twice", traefik("/admin", bearer, "X-Forwarded-Host: h"), "400", nil, ""},
		{"a chain of hosts", ask("/auth/verify", "X-Forwarded-Method: GET", "X-Forwarded-Host: open.example, vip.example", "X-Forwarded-Uri: /t"), "400", nil, ""},
		{"a URL whose host the header contradicts", ask("/auth/verify", bearer, "X-Original-Method: GET", "X-Original-URL: http://vip.example/t", "X-Forwarded-Host: open.example"), "400", nil, ""},
		{"a URL whose host the header repeats", ask("/auth/verify", bearer, "X-Original-Method: GET", "X-Original-URL: http://vip.example/t", "X-Forwarded-Host: VIP.example:80"), "403", nil, ""},
		{"a URL with a user", ask("/auth/verify", bearer, "X-Original-Method: GET", "X-Original-URL: http://open.example@vip.example/t"), "400", nil, ""},
		{"a URL of another scheme", ask("/auth/verify", bearer, "X-Original-Method: GET", "X-Original-URL: ftp://open.example/t"), "400", nil, ""},
		{"names with underscores are none", ask("/auth/verify", "X_Forwarded_Method: GET", "X_Forwarded_Uri: /public"), "400", nil, ""},
		{"path and header", ask("/auth/verify/public", "X-Forwarded-Method: GET", "X-Forwarded-Uri: /admin", bearer), "400", nil, ""},
		{"Envoy: a method in whose name it was not asked", send("POST", "/auth/verify/read", "", "X-Forwarded-Method: GET"), "400", nil, ""},
		{"Envoy: the method is the request's", send("POST", "/auth/verify/read", ""), "405", nil, ""},
		{"Envoy: dot segments", ask("/auth/verify/public/../admin", bearer), "400", nil, ""},
		{"Envoy: dot segments above", ask("/auth/verify/../admin", bearer), "400", nil, ""},
		{"Envoy: an encoded slash", ask("/auth/verify%2fpublic", bearer), "400", nil, ""},
		{"Envoy: the prefix in another spelling", ask("/auth/verif%79/public", bearer), "400", nil, ""},
		{"Envoy: empty segments", ask("/auth/verify//admin", bearer), "400", nil, ""},
		{"the prefix in absolute form", ask("http://h/auth/verify/public", bearer), "400", nil, ""},
		{"an override beyond the route's methods", traefik("/read", "X-HTTP-Method-Override: DELETE"), "405", nil, ""},
		{"names that a trusted proxy passes on by mistake", ask("/public/x", "X-Forwarded-User_Id: forged", "X-Original-Url_: forged", "X_Real_Ip: forged", "Proxy: forged", "-X-User-Id: forged"), "200", []string{"GET /public/x"}, ""},
		{"forward-auth about itself", traefik("/auth/verify/public"), "401", nil, ""},
	}
	for _, method := range []string{"TRACE", "CONNECT", "POST", "get", "DELETE"} {
		list = append(list, attack{"asked method " + method, ask("/auth/verify", "X-Forwarded-Method: "+method, "X-Forwarded-Uri: /read"), "405", nil, ""})
	}
	for _, host := range []string{"vip.example", "VIP.EXAMPLE.:443", "a.tenant.example"} {
		list = append(list, attack{"the policy of " + host, ask("/auth/verify", bearer, "X-Forwarded-Method: GET", "X-Forwarded-Uri: /t", "X-Forwarded-Host: "+host), "403", nil, ""})
	}
	for _, host := range []string{"open.example:@vip.example", "open.example/", "vip.example..", "*.tenant.example", "op%65n.example", "open.example x"} {
		list = append(list, attack{"host " + host, ask("/auth/verify", bearer, "X-Forwarded-Method: GET", "X-Forwarded-Uri: /t", "X-Forwarded-Host: "+host), "400", nil, ""})
	}
	for _, uri := range []string{
		"", "*", "public", "?/public", "/public/../admin", "/public/..%2fadmin", "/public/%2e%2e/admin", "//admin", "/admin;x", "/admin%3bx", "/public\\..\\admin", "/public/%5c..", "/admin%00", "/admin#", "/public?x#y", "/public/%", "/public /admin", "/public\t/admin",
		"/loose/secret%2Fx\"", "/loose/secret;x", "/%6coose/secret%2fx", "/strip/secret%2Fx", "/public/%c0%ae%c0%ae/admin", "http://h\\@open.example/", "javascript:alert(1)", "http:///public",
	} {
		list = append(list, attack{fmt.Sprintf("target %q", uri), traefik(uri, bearer), "400", nil, ""})
	}
	return list
}

// A question never gets another route's answer, whatever the client slipped in.
func TestHostileQuestions(t *testing.T) {
	a := mustArena(t, edgeOptions{routes: hostileRoutes, trusted: TrustedProxies{netip.MustParsePrefix("127.0.0.0/8")}})
	for _, at := range questionAttacks() {
		t.Run(at.name, func(t *testing.T) { a.run(t, at) })
	}
	a.settled(t)
}

// What no header can carry as it is comes as nothing, not as something else.
func TestForwardAuthGivesNoHalfNames(t *testing.T) {
	e := mustEdge(t, edgeOptions{trusted: TrustedProxies{netip.MustParsePrefix("127.0.0.0/8")}})
	for _, scope := range []string{"1\r\nX-Admin: yes", " read", "read ", "\tread", "a\x00b", "a\x7fb"} {
		raw := e.token(t, func(c map[string]any) { c["scope"] = scope })
		res, _ := e.get(t, http.MethodGet, "/auth/verify/x", bearerOf(raw)...)
		if got := res.Header["X-Token-Scope"]; res.StatusCode != 200 || len(got) != 1 || got[0] != "" || strings.Contains(fmt.Sprint(res.Header), "X-Admin") {
			t.Errorf("%q: %d %q", scope, res.StatusCode, got)
		}
	}
}
