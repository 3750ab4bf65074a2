package gateway

import (
	"fmt"
	"strings"
)

// targetAttacks are targets in other forms than a path.
func targetAttacks() []attack {
	list := []attack{
		{"absolute form", ask("http://h/public/t"), "200", []string{"GET /public/t"}, ""},
		{"absolute form: its host counts, not Host", ask("http://vip.example/t", bearer), "403", nil, ""},
		{"absolute form: an open host is that host", "GET http://open.example/t HTTP/1.1\r\nHost: vip.example\r\n\r\n", "200", []string{"GET /t"}, ""},
		{"absolute form without a token", ask("http://h/t"), "401", nil, ""},
		{"absolute form, dot segments", ask("http://h/public/../admin", bearer), "400", nil, ""},
		{"absolute form, encoded slash", ask("http://h/public/..%2fadmin", bearer), "400", nil, ""},
		{"absolute form, fragment", ask("http://h/public/t#/../admin", bearer), "400", nil, ""},
		{"absolute form, backslash", ask("http://h/public\\..\\admin", bearer), "400", nil, ""},
		{"another scheme reaches no other server", ask("https://127.0.0.1:1/public/t"), "200", []string{"GET /public/t"}, ""},
		{"another server's name reaches no other server", ask("http://169.254.169.254/public/t"), "200", []string{"GET /public/t"}, ""},
		{"a question mark in the query", ask("/public/t??/admin"), "200", []string{"GET /public/t??/admin"}, ""},
		{"an empty query", ask("/public/t?"), "200", []string{"GET /public/t?"}, ""},
		{"CONNECT: Traefik CVE-2026-71324", "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n" + smuggled, "405 closed", nil, ""},
		{"CONNECT to a path", send("CONNECT", "/public/t", ""), "405 closed", nil, ""},
		{"CONNECT with a token", send("CONNECT", "127.0.0.1:1", "", bearer), "400|405 closed", nil, ""},
		{"TRACE", send("TRACE", "/public/t", "", bearer), "405 closed", nil, ""},
	}
	for _, target := range []string{
		"*", "http://u:p@open.example/t", "http://open.example@vip.example/t", "http://vip.example:80@open.example/t", "ftp://open.example/t", "file:///etc/passwd",
		"javascript:alert(1)", "http:/public/t", "http:public/t", "http:///public/t", "//open.example/t", "///t", "public/t", "?/public/t", "#/public/t", "h:80",
		"http://open.example\\@vip.example/t", "http://[::1/t", "http://open.example:x/t", "http://op%65n.example/t", "http://open.example%00.vip.example/t", "http://open..example/t",
		"unix:/run/docker.sock:/t", "/public/t#", "/public/t#/../../admin", "/public\\t", "/public/t\\..\\admin", "\\public", "/public/%", "/public/%2", "/public/%zz", "/public/%u002e",
	} {
		// net/http closes the connection where it refuses a target by itself.
		list = append(list, attack{target, ask(target, bearer), "400 either", nil, ""})
	}
	return append(list, attack{"OPTIONS *", send("OPTIONS", "*", ""), "400", nil, ""})
}

// pathAttacks write the path of a protected route so that it looks like a public
// one's, or like nobody's: Oathkeeper CVE-2026-33494, Traefik CVE-2025-66490,
// -47952, CVE-2026-40912, -48020, -65600, heimdall CVE-2026-42274, -42272,
// OPA-Envoy CVE-2026-26205, Caddy CVE-2026-27587, Istio CVE-2021-29492.
func pathAttacks() []attack {
	list := []attack{}
	for _, path := range []string{
		"/public/../admin", "/public/..", "/public/.", "/./admin", "/../admin", "/public/../../admin", "/..", "/.", "/admin/.", "/admin/..", "/public/../admin/",
		"/public/%2e%2e/admin", "/public/.%2e/admin", "/public/%2E./admin", "/%2e/admin", "/public/..%2fadmin", "/public/..%2Fadmin", "/public%2f..%2fadmin",
		"/public/%2e%2e%2fadmin", "/public%2fadmin", "/admin%2f", "/admin%2F..", "/%2fadmin", "/%2Fadmin", "/public/..%5cadmin", "/public/%5c..%5cadmin", "/public%5c..%5cadmin",
		"/admin%5c", "//admin", "///admin", "/public//admin", "/admin//", "//", "/public/;/admin", "/;/admin", "/public;/../admin", "/admin;", "/admin;x", "/admin;/", "/admin;a=b/c", "/admin%3b", "/admin%3Bx/y",
		"/public/..;/admin", "/public/..;a=b/admin", "/public/.;/admin", "/public/%2e%2e;/admin", "/public/..%3b/admin", "/;a/admin", "/admin%00", "/admin%00.html", "/public/%00/../admin", "/%00",
		"/admin%0a", "/admin%0d%0aX-User-Id:%20forged", "/admin%09", "/admin%1f", "/admin%7f", "/public/%01", "/public/%c0%ae%c0%ae/admin", "/public/..%c0%afadmin", "/public%c0%af..%c0%afadmin",
		"/public/%c1%9cadmin", "/public/%e0%80%ae%e0%80%ae/admin", "/public/%f0%80%80%ae%f0%80%80%ae/admin",
	} {
		list = append(list, attack{path, ask(path, bearer), "400", nil, ""})
	}
	for _, path := range []string{"/admin", "/admin/", "/admin/x", "/%61dmin", "/%61%64%6d%69%6e", "/adm%69n/x", "/admin?x=/public", "/admin?/../public", "/admin/..x", "/admin/...", "/admin/%20", "/admin/public"} {
		list = append(list, attack{"protected as " + path, ask(path, bearer), "403", nil, ""}, attack{"anonymous at " + path, ask(path), "401", nil, ""})
	}
	for _, path := range []string{"/publicx", "/public.json", "/public%20", "/Public", "/PUBLIC/x", "/pub", "/xpublic", "/x/public", "/x?/public", "/?public", "/public%3f", "/publi%43"} {
		list = append(list, attack{"not public: " + path, ask(path), "401", nil, ""})
	}
	for path, want := range map[string]string{
		"/public/%252e%252e/admin": "", "/public/%252fadmin": "", "/public/a%3Fb": "", "/public/a%23b": "", "/public/%61": "", "/public/a%20b": "", "/public/%c3%a9": "", "/public/%C3%A9": "",
		"/public/...": "", "/public/..x": "", "/public/x..": "", "/public/a:b@c!$&'()*+,=~": "", "/public/a[b]": "", "/public?next=/../admin//y": "",
		"/public/é": "/public/%C3%A9", "/public/\"": "/public/%22", "/public/<a>": "/public/%3Ca%3E", "/public/a|b^c`d{e}": "/public/a%7Cb%5Ec%60d%7Be%7D",
		"/public/%c3%a9é%2a": "/public/%c3%a9%C3%A9%2a", "/public/%41\"%2a": "/public/%41%22%2a",
	} {
		if want == "" {
			want = path
		}
		list = append(list, attack{"one reading: " + path, ask(path), "200", []string{"GET " + want}, ""})
	}
	return list
}

// spellingAttacks use what a route has allowed to leave it: whatever reading a
// back end chooses, it must be the same route's.
func spellingAttacks() []attack {
	list := []attack{}
	for _, path := range []string{
		"/loose/secret%2Fx", "/loose/secret%2fx", "/loose%2Fsecret", "/loose%2Fsecret/x", "/loose/%2Fsecret", "/loose/secret%2F", "/loose/secret;x", "/loose/secret;a=b/c", "/loose;x/secret", "/loose/secret;x%2Fy",
		"/loose//secret", "/loose///secret/x", "//loose/secret", "/loose/secret%2Fx\"", "/loose/secret%2Fé", "/loose/;/secret", "/loose/..;/admin", "/loose/..%2Fadmin", "/loose/%2e%2e%2Fadmin",
		"/loose//../admin", "/loose/%5c", "/loose/%00", "/loose%2f..%2fadmin", "/strip/secret%2Fx", "/%73trip/secret%2Fx", "/strip/secret;x", "/strip//secret", "/strip%2Fsecret",
		"/admin%2Fx", "/x%2F..%2Fpublic", "/%2floose", "//public",
	} {
		list = append(list, attack{path, ask(path), "400", nil, ""})
	}
	for path, want := range map[string]string{
		"/loose/a%2Fb": "/loose/a%2Fb", "/loose/a%2fb;v=1//c": "/loose/a%2fb;v=1//c", "/loose/a%2Fb\"": "/loose/a%2Fb%22", "/%6coose/a%2Fb": "/%6coose/a%2Fb", "/loose/a%2Fé": "/loose/a%2F%C3%A9",
		"/strip/a%2Fb": "/a%2Fb", "/%73trip/a%2Fb": "/a%2Fb", "/s%74rip/%61%2fb": "/%61%2fb", "/%73trip/a;v=1": "/a;v=1", "/%73trip/a%3bx": "/a%3bx", "/strip": "/", "/%73trip": "/", "/strip/": "/",
		"/strip/a%2Fb\"": "/a%2Fb%22", "/%73trip/a\"": "/a%22", "/strip?x": "/?x",
	} {
		list = append(list, attack{"allowed: " + path, ask(path), "200", []string{"GET " + want}, ""})
	}
	return list
}

// hostAttacks confuse the host, by which policies are chosen: heimdall
// GHSA-4jgr-pg2m-m988, CVE-2026-57210, CVE-2026-42273, Caddy CVE-2026-27588.
func hostAttacks() []attack {
	at := func(host string, lines ...string) string {
		return strings.Replace(ask("/t", lines...), "Host: h\r\n", "Host: "+host+"\r\n", 1)
	}
	list := []attack{
		{"two Hosts", at("open.example", "Host: vip.example"), "400 closed", nil, ""},
		{"two Hosts, equal", at("open.example", "Host: open.example"), "400 closed", nil, ""},
		{"two Hosts in two cases", at("open.example", "HOST: vip.example"), "400 closed", nil, ""},
		{"no Host", "GET /public/t HTTP/1.1\r\n\r\n", "400 closed", nil, ""},
		{"Host_ is none", "GET /public/t HTTP/1.1\r\nHost_: open.example\r\n\r\n", "400 closed", nil, ""},
		{"Host in a trailer", strings.Replace(send("POST", "/t", "0\r\nHost: open.example\r\n\r\n", chunked, bearer), "Host: h", "Host: vip.example", 1), "403", nil, ""},
		{"Host named by Connection", at("vip.example", bearer, "Connection: Host"), "403", nil, ""},
		{"an empty Host is no policy's", at(""), "401", nil, ""},
		{"preserved as it is", at("kept.example"), "200", []string{"GET /t"}, ""},
	}
	for _, host := range []string{"vip.example", "VIP.example", "vip.EXAMPLE", "vip.example.", "vip.example:80", "vip.example:8080", "Vip.Example.:443", "vip.example:", "a.tenant.example", "A.B.TENANT.example.:1"} {
		list = append(list, attack{"the policy of " + host, at(host, bearer), "403", nil, ""})
		for _, header := range []string{"X-Forwarded-Host", "X-Host", "X-Original-Host", "Forwarded"} {
			list = append(list, attack{fmt.Sprintf("the policy of %s with %s", host, header), at(host, bearer, header+": open.example"), "403", nil, ""})
		}
	}
	for _, host := range []string{
		"vip.example..", ".vip.example", "vip..example", "vip.example:x", "vip.example:80:80", "vip.example:-1", "vip.example:8 0", "open.example:@vip.example", "open.example@vip.example", "vip.example@open.example",
		"u:p@open.example", "open.example,vip.example", "open.example, vip.example", "open.example;vip.example", "open.example/", "open.example/x", "open.example?x", "open.example#x", "open.example\\x", "%6fpen.example", "open.example%00",
		"open.example%20", "*.tenant.example", "*", "[::1", "::1", "[::1]x", "[open.example]", "[]", "[::1%25eth0]:x", "open example", "\"open.example\"", "open.example'", "(open.example)", "open.example$", "ôpen.example", "open.example:999999",
	} {
		list = append(list, attack{fmt.Sprintf("Host %q", host), at(host, bearer), "400 either", nil, ""})
	}
	return list
}
