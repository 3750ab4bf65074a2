package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The carriers in their order: the first that is present decides alone.
func TestCarriers(t *testing.T) {
	const all = "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app, websocket: true, " +
		"auth: {token_from: [\"query:tok\", \"cookie:access\", \"header:X-Access-Token\", header, websocket-protocol, \"cookie:imp\"]}}]\n"
	e := mustEdge(t, edgeOptions{routes: all, defaults: Defaults{ImpersonationCookie: "imp"}})
	good := func() string { return e.token(t) }
	bad := "a.b.c"
	for _, c := range []struct {
		name    string
		path    string
		headers []string
		status  int
	}{
		{"header", "/", []string{"Authorization", "Bearer " + good()}, 200},
		{"named header, bare", "/", []string{"X-Access-Token", good()}, 200},
		{"named header, with scheme", "/", []string{"X-Access-Token", "bearer " + good()}, 200},
		{"named header, other scheme", "/", []string{"X-Access-Token", "Basic " + good()}, 401},
		{"named header, twice", "/", []string{"X-Access-Token", good(), "X-Access-Token", good()}, 400},
		{"cookie", "/", []string{"Cookie", "x=1; access=" + good()}, 200},
		{"impersonation cookie before the other", "/", []string{"Cookie", "access=" + bad + "; imp=" + good()}, 200},
		{"bad impersonation cookie is not rescued", "/", []string{"Cookie", "access=" + good() + "; imp=" + bad}, 401},
		{"empty impersonation cookie is none", "/", []string{"Cookie", "imp=; access=" + good()}, 200},
		{"cookie twice", "/", []string{"Cookie", "access=" + good() + "; access=" + good()}, 400},
		{"query", "/?a=1&tok=" + good(), nil, 200},
		{"query twice", "/?tok=" + good() + "&tok=" + good(), nil, 400},
		{"bad header is not rescued by a cookie", "/", []string{"Authorization", "Bearer " + bad, "Cookie", "access=" + good()}, 401},
		{"bad header is not rescued by the query", "/?tok=" + good(), []string{"Authorization", "Bearer " + bad}, 401},
		{"good header wins over a bad query", "/?tok=" + bad, []string{"Authorization", "Bearer " + good()}, 200},
		{"another scheme is absent", "/", []string{"Authorization", "Basic eDp5", "Cookie", "access=" + good()}, 200},
		{"none", "/", nil, 401},
		{"body is never looked at", "/?token=" + good(), nil, 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			if res, body := e.get(t, "GET", c.path, c.headers...); res.StatusCode != c.status {
				t.Errorf("%d %s, want %d", res.StatusCode, body, c.status)
			}
		})
	}
}

// A credential in the query goes no further than the gateway; the rest of the
// query stays as it was written.
func TestQueryCredentialIsRemoved(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app, auth: {token_from: [\"query:tok\"]}}]\n"})
	raw := e.token(t)
	e.get(t, "GET", "/p?a=%20b&tok="+raw+"&c=d%2Fe")
	if seen := e.requests(); len(seen) != 1 || seen[0].RequestURI != "/p?a=%20b&c=d%2Fe" {
		t.Errorf("upstream saw %q", seen[0].RequestURI)
	}
	if strings.Contains(e.logs.String(), raw) {
		t.Error("the token is in the log")
	}
}

func TestSubprotocolCarrier(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	for _, c := range []struct {
		offered []string
		token   string
		refused bool
		left    string
	}{
		{[]string{"bearer, a.b.c"}, "a.b.c", false, ""},
		{[]string{"chat, bearer, a.b.c, superchat"}, "a.b.c", false, "chat, superchat"},
		{[]string{"bearer", "a.b.c"}, "a.b.c", false, ""},
		{[]string{"chat"}, "", false, "chat"},
		{[]string{"bearer"}, "", true, "bearer"},
		{[]string{"bearer, a.b.c, bearer, d.e.f"}, "", true, ""},
		{nil, "", false, ""},
	} {
		r.Header["Sec-Websocket-Protocol"] = c.offered
		got, refusal := takeSubprotocol(r)
		if got != c.token || (refusal != nil) != c.refused {
			t.Errorf("%q: %q %v", c.offered, got, refusal)
		}
		if c.refused {
			continue
		}
		out := r.Clone(t.Context())
		credential{raw: got, from: carrier{kind: inSubprotocol}}.scrub(out)
		if left := out.Header.Get("Sec-WebSocket-Protocol"); left != c.left {
			t.Errorf("%q: upstream sees %q, want %q", c.offered, left, c.left)
		}
	}
}

func TestParseCarrier(t *testing.T) {
	for _, text := range []string{"header", "header:X-Token", "cookie:access", "cookie:__Host-a", "query:access_token", "websocket-protocol"} {
		c, err := parseCarrier(text)
		if err != nil || !strings.EqualFold(c.String(), text) {
			t.Errorf("%q: %v %v", text, c, err)
		}
	}
	for _, text := range []string{"", "body", "header:", "header:X_Token", "header:Cookie", "header:Connection", "cookie:", "cookie:a b", "cookie:a;b", "query:", "query:a b", "Header"} {
		if c, err := parseCarrier(text); err == nil {
			t.Errorf("%q was accepted as %v", text, c)
		}
	}
}

// A cookie is the user's wherever the request comes from, so a foreign page must
// not use it.
func TestCookieFromForeignOrigin(t *testing.T) {
	const routes = "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app, websocket: true, origins: [\"https://friend.example\"], auth: {token_from: [header, \"cookie:access\"]}}]\n"
	e := mustEdge(t, edgeOptions{routes: routes})
	own := e.URL
	cookie := []string{"Cookie", "access=" + e.token(t)}
	header := []string{"Authorization", "Bearer " + e.token(t)}
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-Websocket-Version", "13", "Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
	join := func(lists ...[]string) []string {
		var out []string
		for _, l := range lists {
			out = append(out, l...)
		}
		return out
	}
	for _, c := range []struct {
		name    string
		method  string
		headers []string
		status  int
	}{
		{"own page writes", "POST", join(cookie, []string{"Origin", own}), 200},
		{"foreign page writes", "POST", join(cookie, []string{"Origin", "https://evil.example"}), 403},
		{"foreign page writes, by fetch metadata", "POST", join(cookie, []string{"Sec-Fetch-Site", "cross-site"}), 403},
		{"sandboxed page writes", "POST", join(cookie, []string{"Origin", "null"}), 403},
		{"listed page writes", "POST", join(cookie, []string{"Origin", "https://friend.example"}), 200},
		{"listed host by plain http", "POST", join(cookie, []string{"Origin", "http://friend.example"}), 403},
		{"foreign page reads", "GET", join(cookie, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}), 200},
		{"a program writes", "POST", cookie, 200},
		{"foreign page writes with a header", "POST", join(header, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}), 200},
		{"foreign page opens a socket", "GET", join(cookie, upgrade, []string{"Origin", "https://evil.example"}), 403},
		{"own page opens a socket", "GET", join(cookie, upgrade, []string{"Origin", own}), 200},
		{"listed page opens a socket", "GET", join(cookie, upgrade, []string{"Origin", "https://friend.example"}), 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, body := e.get(t, c.method, "/", c.headers...)
			if res.StatusCode != c.status || c.status == 403 && !strings.Contains(body, `"reason":"origin"`) {
				t.Errorf("%d %s, want %d", res.StatusCode, body, c.status)
			}
		})
	}
}
