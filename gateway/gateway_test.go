package gateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tollgate/revocation"
)

func TestAllowedRequestCarriesIdentity(t *testing.T) {
	e := mustEdge(t, edgeOptions{})
	res, body := e.get(t, "GET", "/x", "Authorization", "bearer  "+e.token(t), "X-User-Id", "1", "X-Token-Subject", "root")
	if res.StatusCode != 200 || body != "hello" {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	h := e.requests()[0].Header
	for name, want := range map[string]string{"X-User-Id": "42", "X-Token-Subject": "42", "X-Token-Jti": "jti-1", "X-Token-Scope": "read write"} {
		if got := h.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want one %q", name, got, want)
		}
	}
	if id := res.Header.Get("X-Request-Id"); id == "" || h.Get("X-Request-Id") != id {
		t.Errorf("request id %q, upstream saw %q", id, h.Get("X-Request-Id"))
	}
	if h.Get("Authorization") == "" {
		t.Error("Authorization was not passed on")
	}
}

// Identity and forwarding headers of the client never arrive, in any spelling;
// the gateway's own always do, whatever Connection names.
func TestMustHold10_IdentityHeadersCannotBeImitated(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: `
version: 1
upstreams: {app: {urls: ["BACKEND"]}}
routes:
  - {name: public, match: {path: /public}, upstream: app, auth: {mode: none}}
  - {name: optional, match: {path: /optional}, upstream: app, auth: {mode: optional}}
  - {name: tenant, match: {path: /}, upstream: app, identity_headers: {X-Tenant: tenant}}
`})
	spellings := []string{"X-User-Id", "X_User_Id", "x-user_id", "X.User.Id", "X-User-Id-", "-X-User-Id", "x-USER-id", "X_TENANT", "X-Tenant",
		"X-Token-Jti", "X~Token~Scope", "X_Anything"}
	forwarding := []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Real-Ip", "X-Original-Uri", "X-Rewrite-Url"}
	for _, path := range []string{"/public", "/optional", "/private"} {
		for _, name := range append(spellings, forwarding...) {
			headers := []string{name, "forged", "Connection", "close, " + name + ", X-User-Id, X-Forwarded-For"}
			if path == "/private" {
				headers = append(headers, "Authorization", "Bearer "+e.token(t))
			}
			before := len(e.requests())
			if res, body := e.get(t, "GET", path, headers...); res.StatusCode != 200 {
				t.Fatalf("%s %s: %d %s", path, name, res.StatusCode, body)
			}
			seen := e.requests()[before]
			for got, values := range seen.Header {
				if strings.Contains(strings.Join(values, " "), "forged") {
					t.Errorf("%s: %s arrived as %s: %q", path, name, got, values)
				}
			}
			if want := map[bool]string{true: "42"}[path == "/private"]; seen.Header.Get("X-User-Id") != want {
				t.Errorf("%s with %s: X-User-Id %q, want %q", path, name, seen.Header.Get("X-User-Id"), want)
			}
			if seen.Header.Get("X-Forwarded-For") != "127.0.0.1" {
				t.Errorf("%s with %s: X-Forwarded-For %q", path, name, seen.Header.Get("X-Forwarded-For"))
			}
		}
	}
}

func TestClaimsCannotBreakAHeader(t *testing.T) {
	e := mustEdge(t, edgeOptions{})
	res, body := e.get(t, "GET", "/x", bearerOf(e.token(t, func(c map[string]any) { c["scope"] = "a\x00b\r\nX-Admin: yes" }))...)
	if res.StatusCode != 200 {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	if h := e.requests()[0].Header; h.Get("X-User-Id") != "42" || h.Get("X-Admin") != "" || h.Get("X-Token-Scope") != "" {
		t.Errorf("headers %v", h)
	}
	// Who calls cannot be left out: a back end that is told nothing could take the
	// caller for nobody.
	for _, id := range []string{"1\r\nX-Admin: yes", " 1", "1 ", "\t1"} {
		res, body := e.get(t, "GET", "/x", bearerOf(e.token(t, func(c map[string]any) { c["user_id"] = id }))...)
		if res.StatusCode != 401 {
			t.Errorf("user_id %q: %d %s", id, res.StatusCode, body)
		}
	}
	if n := len(e.requests()); n != 1 {
		t.Errorf("%d requests reached the back end", n)
	}
}

func TestForwardedIsBelievedFromTrustedProxiesOnly(t *testing.T) {
	sent := []string{"X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "shop.example.com", "X-Real-Ip", "203.0.113.9", "Forwarded", "for=1"}
	trusting := mustEdge(t, edgeOptions{trusted: TrustedProxies{netip.MustParsePrefix("127.0.0.0/8")}})
	trusting.get(t, "GET", "/", append(sent, "Authorization", "Bearer "+trusting.token(t))...)
	h := trusting.requests()[0].Header
	if h.Get("X-Forwarded-For") != "203.0.113.9, 127.0.0.1" || h.Get("X-Forwarded-Proto") != "https" || h.Get("X-Forwarded-Host") != "shop.example.com" || h.Get("X-Real-Ip") != "203.0.113.9" {
		t.Errorf("from a trusted proxy: %v", h)
	}
	wary := mustEdge(t, edgeOptions{trusted: TrustedProxies{netip.MustParsePrefix("10.0.0.0/8")}})
	wary.get(t, "GET", "/", append(sent, "Authorization", "Bearer "+wary.token(t))...)
	h = wary.requests()[0].Header
	if h.Get("X-Forwarded-For") != "127.0.0.1" || h.Get("X-Forwarded-Proto") != "http" || h.Get("X-Real-Ip") != "127.0.0.1" || h.Get("Forwarded") != "" {
		t.Errorf("from anybody: %v", h)
	}
}

// Each refusal: its status, challenge, body, metric and log line.
func TestRefusals(t *testing.T) {
	revokedBy := func(kind revocation.Kind) checkerFunc {
		return func(*revocation.Token) revocation.Verdict {
			return revocation.Verdict{State: revocation.Revoked, Kind: kind}
		}
	}
	down := func(*revocation.Token) revocation.Verdict {
		return revocation.Verdict{State: revocation.Unknown, Cause: revocation.CauseUnreachable, Err: errors.New("dial: refused")}
	}
	scoped := "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app, auth: {scopes: [admin]}}]\n"
	const plain = `Bearer realm="api"`
	for _, c := range []struct {
		name      string
		options   edgeOptions
		auth      func(t *testing.T, e *edge) []string
		status    int
		reason    string
		challenge string
		body      string // a part of it
	}{
		{"no token", edgeOptions{}, nil, 401, "missing", plain, `{"detail":"Authentication credentials were not provided."}`},
		{"other scheme", edgeOptions{}, header("Basic YTpi"), 401, "missing", plain, `not provided`},
		{"empty header", edgeOptions{}, header(""), 401, "missing", plain, `not provided`},
		{"scheme alone", edgeOptions{}, header("Bearer"), 401, "malformed", plain, `"code":"bad_authorization_header"`},
		{"three parts", edgeOptions{}, header("Bearer a b"), 401, "malformed", plain, `Authorization header must contain two space-delimited values`},
		{"twice", edgeOptions{}, func(*testing.T, *edge) []string {
			return []string{"Authorization", "Bearer a", "Authorization", "Bearer b"}
		}, 400, "malformed", "", `more than once`},
		{"garbage", edgeOptions{}, header("Bearer x.y.z"), 401, "malformed", `error="invalid_token"`,
			`{"detail":"Given token not valid for any token type","code":"token_not_valid","messages":[{"token_class":"AccessToken","token_type":"access","message":"Token is invalid"}]}`},
		{"expired", edgeOptions{}, claims(func(c map[string]any) { c["exp"] = time.Now().Unix() - 60 }), 401, "expired", `error="invalid_token"`, `"message":"Token is expired"`},
		{"refresh", edgeOptions{}, claims(func(c map[string]any) { c["token_type"] = "refresh" }), 401, "token_type", `error="invalid_token"`, `"message":"Token has wrong type"`},
		{"revoked", edgeOptions{check: revokedBy(revocation.KindJTI)}, claims(), 401, "revoked", `error="invalid_token"`, `"reason":"revoked"`},
		{"scope", edgeOptions{routes: scoped}, claims(), 403, "scope", `error="insufficient_scope", scope="admin"`, `"reason":"scope"`},
		{"store away", edgeOptions{check: down}, claims(), 503, "unavailable", "", `"reason":"unavailable"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := mustEdge(t, c.options)
			var headers []string
			if c.auth != nil {
				headers = c.auth(t, e)
			}
			res, body := e.get(t, "GET", "/x?secret=query", headers...)
			if res.StatusCode != c.status || !strings.Contains(body, c.body) {
				t.Errorf("%d %s, want %d %s", res.StatusCode, body, c.status, c.body)
			}
			if got := res.Header.Get("WWW-Authenticate"); (c.challenge == "") != (got == "") || !strings.Contains(got, c.challenge) || c.challenge == plain && got != plain {
				t.Errorf("challenge %q, want %q", got, c.challenge)
			}
			if res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("Content-Type") != "application/json" {
				t.Errorf("headers %v", res.Header)
			}
			if (res.StatusCode == 503) != (res.Header.Get("Retry-After") != "") {
				t.Errorf("Retry-After %q", res.Header.Get("Retry-After"))
			}
			if len(e.requests()) != 0 {
				t.Error("the request reached the back end")
			}
			e.wantLine(t, map[string]any{"route": "all", "decision": "deny", "reason": c.reason, "status": float64(c.status)})
			e.wantMetric(t, `tollgate_auth_denied_total{reason="`+c.reason+`",route="all"} 1`)
		})
	}
}

func header(value string) func(*testing.T, *edge) []string {
	return func(*testing.T, *edge) []string { return []string{"Authorization", value} }
}

func claims(change ...func(map[string]any)) func(*testing.T, *edge) []string {
	return func(t *testing.T, e *edge) []string {
		return []string{"Authorization", "Bearer " + e.token(t, change...)}
	}
}

func (e *edge) wantLine(t *testing.T, want map[string]any) {
	t.Helper()
	for line := range strings.Lines(e.logs.String()) {
		var got map[string]any
		if json.Unmarshal([]byte(line), &got) != nil || got["msg"] != "request" {
			continue
		}
		for k, v := range want {
			if got[k] != v {
				t.Errorf("log line: %s is %v, want %v\n%s", k, got[k], v, line)
			}
		}
		if strings.Contains(line, "query") {
			t.Errorf("the log line shows the query: %s", line)
		}
		return
	}
	t.Errorf("no line for the request in:\n%s", e.logs)
}

func (e *edge) wantMetric(t *testing.T, want string) {
	t.Helper()
	w := httptest.NewRecorder()
	e.Metrics.Handler().ServeHTTP(w, mustRequest(t, "/metrics"))
	if !strings.Contains(w.Body.String(), want) {
		t.Errorf("no %s among the metrics:\n%s", want, w.Body.String())
	}
}

// Only the store's silence is covered by allow: never a hit, a loss or a mirror
// that is not loaded.
func TestOnUnavailableAllow(t *testing.T) {
	const routes = "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app, revocation: {on_unavailable: allow}}]\n"
	for _, c := range []struct {
		verdict revocation.Verdict
		status  int
	}{
		{revocation.Verdict{State: revocation.Unknown, Cause: revocation.CauseUnreachable}, 200},
		{revocation.Verdict{State: revocation.Clear, Stale: time.Hour}, 200},
		{revocation.Verdict{State: revocation.Revoked, Kind: revocation.KindJTI}, 401},
		{revocation.Verdict{State: revocation.Unknown, Cause: revocation.CauseLost}, 503},
		{revocation.Verdict{State: revocation.Unknown, Cause: revocation.CauseBroken}, 503},
		{revocation.Verdict{State: revocation.Unknown, Cause: revocation.CauseLoading}, 503},
		{revocation.Verdict{}, 503},
	} {
		e := mustEdge(t, edgeOptions{routes: routes, check: func(*revocation.Token) revocation.Verdict { return c.verdict }})
		if res, body := e.get(t, "GET", "/", "Authorization", "Bearer "+e.token(t)); res.StatusCode != c.status {
			t.Errorf("%+v: %d %s, want %d", c.verdict, res.StatusCode, body, c.status)
		}
		if c.status == 200 { // each use is counted and said
			e.wantMetric(t, `tollgate_revocation_fail_mode_total{mode="allow",route="all"} 1`)
			if !strings.Contains(e.logs.String(), "nobody can say whether it is revoked") {
				t.Error("no word of it in the log")
			}
		}
	}
}

func TestOptionalRoute(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app, auth: {mode: optional}, forward_authorization: false}]\n"})
	if res, _ := e.get(t, "GET", "/"); res.StatusCode != 200 || e.requests()[0].Header.Get("X-User-Id") != "" {
		t.Errorf("anonymous: %d", res.StatusCode)
	}
	res, _ := e.get(t, "GET", "/", "Authorization", "Bearer "+e.token(t))
	if h := e.requests()[1].Header; res.StatusCode != 200 || h.Get("X-User-Id") != "42" || h.Get("Authorization") != "" {
		t.Errorf("with a token: %d %v", res.StatusCode, h)
	}
	if res, _ := e.get(t, "GET", "/", "Authorization", "Bearer a.b.c"); res.StatusCode != 401 {
		t.Errorf("with a bad token: %d", res.StatusCode)
	}
}

func TestNoRouteAndMethods(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /a, methods: [GET]}, upstream: app, auth: {mode: none}}]\n"})
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/b", 404, ""}, {"POST", "/a", 405, "GET, HEAD"}, {"HEAD", "/a/x", 200, ""}, {"TRACE", "/a", 405, ""}, {"BREW", "/a", 405, "GET, HEAD"}, {"BREW", "/b", 404, ""},
	} {
		if res, body := e.get(t, c.method, c.path); res.StatusCode != c.status || res.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d Allow %q %s, want %d Allow %q", c.method, c.path, res.StatusCode, res.Header.Get("Allow"), body, c.status, c.allow)
		}
	}
}

// A bare OPTIONS is no way around a token, nor is any header or user agent.
func TestMustHold12_NothingBypassesTheToken(t *testing.T) {
	e := mustEdge(t, edgeOptions{})
	for _, c := range [][]string{
		{"OPTIONS", "/"}, {"HEAD", "/"}, {"GET", "/healthz", "User-Agent", "kube-probe/1.30"}, {"GET", "/", "X-Original-Url", "/public"},
		{"GET", "/", "X-Http-Method-Override", "OPTIONS"}, {"PROPFIND", "/"}, {"BREW", "/"}, {"GET", "/", "X-Forwarded-For", "127.0.0.1"},
		{"GET", "/", "X-User-Id", "1"}, {"GET", "/?access_token=" + e.token(t)}, {"GET", "/", "Cookie", "access=" + e.token(t)},
		{"GET", "/", "Proxy-Authorization", "Bearer " + e.token(t)},
	} {
		if res, _ := e.get(t, c[0], c[1], c[2:]...); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%v: %d", c[:2], res.StatusCode)
		}
	}
	if n := len(e.requests()); n != 0 {
		t.Errorf("%d requests reached the back end", n)
	}
}
