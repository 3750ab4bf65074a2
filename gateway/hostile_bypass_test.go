package gateway

import (
	"fmt"
	"strings"
)

// bypassAttacks look for a way around the token: oauth2-proxy CVE-2026-34457,
// CVE-2025-54576, CVE-2026-41059, Traefik CVE-2023-47106.
func bypassAttacks() []attack {
	list := []attack{
		{"HEAD", send("HEAD", "/x", ""), "401", nil, ""},
		{"preflight where no page is allowed", send("OPTIONS", "/x", "", "Origin: https://app.example", "Access-Control-Request-Method: GET"), "401", nil, ""},
		{"preflight of a foreign page", send("OPTIONS", "/cors", "", "Origin: https://evil.example", "Access-Control-Request-Method: GET"), "401", nil, ""},
		{"preflight of no page", send("OPTIONS", "/cors", "", "Access-Control-Request-Method: GET"), "401", nil, ""},
		{"preflight of null", send("OPTIONS", "/cors", "", "Origin: null", "Access-Control-Request-Method: GET"), "401", nil, ""},
		{"preflight of a page that is listed in part", send("OPTIONS", "/cors", "", "Origin: https://app.example.evil", "Access-Control-Request-Method: GET"), "401", nil, ""},
		{"preflight of a listed page reaches nobody", send("OPTIONS", "/cors", "", "Origin: https://app.example", "Access-Control-Request-Method: GET"), "204", nil, ""},
		{"preflight with a body reaches nobody", send("OPTIONS", "/cors", smuggled, "Origin: https://app.example", "Access-Control-Request-Method: GET", length), "204", nil, ""},
		{"a GET dressed as a preflight", ask("/cors", "Origin: https://app.example", "Access-Control-Request-Method: GET"), "401", nil, ""},
		{"a range", ask("/x", "Range: bytes=0-0", "If-Range: x"), "401", nil, ""},
		{"a cached copy", ask("/x", "If-None-Match: *", "Cache-Control: only-if-cached", "If-Modified-Since: Sat, 21 Nov 2026 00:00:00 GMT"), "401", nil, ""},
		{"no hops left", send("OPTIONS", "/x", "", "Max-Forwards: 0"), "401", nil, ""},
		{"two tokens' worth of scope", ask("/admin", bearer, "X-Token-Scope: admin", "Scope: admin"), "403", nil, ""},
	}
	for _, agent := range []string{"kube-probe/1.30", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "Consul Health Check", "tollgate", ""} {
		list = append(list, attack{fmt.Sprintf("user agent %q: oauth2-proxy CVE-2026-34457", agent), ask("/x", "User-Agent: "+agent), "401", nil, ""})
	}
	for _, target := range []string{"/healthz", "/livez", "/readyz", "/metrics", "/ping", "/favicon.ico", "/robots.txt", "/.well-known/security.txt", "/auth/verifyx", "/Auth/verify", "/debug/pprof/", "/admin/v1/keys", "/api/token/"} {
		list = append(list, attack{"a path of others' exceptions: " + target, ask(target), "401", nil, ""})
	}
	for _, target := range []string{"/auth/verify", "/auth/verify/", "/auth/verify/public", "/auth/verify?uri=/public", "/auth/verif%79", "/auth/%76erify/public", "/auth/verify%2Fpublic", "http://h/auth/verify/public"} {
		list = append(list,
			attack{"forward-auth asked by anybody: " + target, ask(target, "X-Forwarded-Method: GET", "X-Forwarded-Uri: /public", "X-Forwarded-For: 127.0.0.1"), "403", nil, ""},
			attack{"forward-auth asked by anybody, in nginx's way: " + target, ask(target, bearer, "X-Original-Method: GET", "X-Original-URI: /public"), "403", nil, ""},
		)
	}
	for _, target := range []string{"/auth//verify", "/auth/verify/../../admin", "/auth/verify;x", "//auth/verify"} {
		list = append(list, attack{"forward-auth in another spelling: " + target, ask(target, "X-Forwarded-Uri: /public"), "400", nil, ""})
	}
	for _, line := range []string{"X-Requested-With: XMLHttpRequest", "X-Internal: 1", "X-Debug: true", "X-Admin: true", "X-Skip-Auth: 1", "X-Middleware-Subrequest: middleware:middleware:middleware:middleware:middleware", "X-Auth-Request-User: admin", "Remote-User: admin", "X-Remote-User: admin", "X-Envoy-Internal: true", "Via: 1.1 tollgate", "Sec-Fetch-Mode: navigate"} {
		list = append(list, attack{"by " + line, ask("/x", line), "401", nil, ""})
	}
	return list
}

// methodAttacks leave a policy by a method that it does not take, or by a header
// in whose name the back end does something else.
func methodAttacks() []attack {
	list := []attack{
		{"HEAD goes with GET", send("HEAD", "/read", ""), "200", []string{"HEAD /read"}, ""},
		{"an override to what is taken", ask("/read", "X-HTTP-Method-Override: get"), "200", []string{"GET /read"}, ""},
		{"an override where every method is taken", ask("/x", bearer, "X-HTTP-Method-Override: DELETE"), "200", []string{"42 GET /x"}, ""},
		{"a GET with a body", send("GET", "/read", "hello", "Content-Length: 5"), "200", []string{"GET /read"}, "hello"},
	}
	for _, method := range []string{"POST", "DELETE", "PUT", "PATCH", "OPTIONS", "get", "Get", "gET", "GETS", "G", "GET.", "GET_", "*", "PRI", "BREW", "PROPFIND", "LINK", "TRACK", "DEBUG", "PURGE", "M-SEARCH", "SOURCE"} {
		list = append(list, attack{"method " + method, send(method, "/read", ""), "405", nil, ""}, attack{"method " + method + " without a token", send(method, "/x", ""), "401", nil, ""})
	}
	for _, name := range []string{"X-HTTP-Method-Override", "X-Http-Method", "x-method-override"} {
		for _, method := range []string{"DELETE", "delete", " Post ", "OPTIONS", "x"} {
			list = append(list, attack{strings.Join([]string{name, method}, ": "), ask("/read", name+": "+method), "405", nil, ""})
		}
		list = append(list,
			attack{name + " twice", ask("/read", name+": GET", name+": DELETE"), "405", nil, ""},
			attack{name + " is no way in", send("POST", "/admin", "", name+": OPTIONS", "Content-Length: 0"), "401", nil, ""},
		)
	}
	return list
}
