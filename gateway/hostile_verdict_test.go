package gateway

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// A verdict is one request's. What was accepted once is asked about again, on
// every route by its own policy: Oathkeeper CVE-2026-33496, GHSA-qvp4-rpmr-xwrr,
// CVE-2021-32701, ZITADEL CVE-2024-46999, -47000.
func TestVerdictsAreEachRequests(t *testing.T) {
	state := &changing{gone: map[string]bool{}}
	e := mustEdge(t, edgeOptions{check: state.check, routes: `
version: 1
upstreams: {app: {urls: ["BACKEND"]}}
routes:
  - {name: all, match: {path: /}, upstream: app}
  - {name: admin, match: {path: /admin}, upstream: app, auth: {scopes: [admin]}}
  - {name: shop, match: {path: /shop}, upstream: app, auth: {audiences: [shop]}}
  - {name: acme, match: {path: /acme}, upstream: app, auth: {claims: {tenant: acme}}}
`})
	raw := e.token(t, func(c map[string]any) { c["exp"] = time.Now().Unix() - 5 }) // 5 s of the leeway of 10 left
	for range 2 {
		for path, want := range map[string]int{"/": 200, "/admin": 403, "/shop": 401, "/acme": 403} {
			if res, body := e.get(t, "GET", path, bearerOf(raw)...); res.StatusCode != want {
				t.Errorf("%s: %d %s, want %d", path, res.StatusCode, body, want)
			}
		}
	}
	other := e.token(t, withJTI("doomed"))
	if res, _ := e.get(t, "GET", "/", bearerOf(other)...); res.StatusCode != 200 {
		t.Errorf("before its revocation: %d", res.StatusCode)
	}
	state.revoke("doomed")
	if res, _ := e.get(t, "GET", "/", bearerOf(other)...); res.StatusCode != 401 {
		t.Errorf("after its revocation: %d", res.StatusCode)
	}
	testkit.MustAwait(t, "expired", func() bool {
		res, _ := e.get(t, "GET", "/", bearerOf(raw)...)
		return res.StatusCode == 401
	})
}

// An audience is a text or a list of texts, and one of them is ours, exactly:
// dgrijalva/jwt-go CVE-2020-26160.
func TestHostileAudiences(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: shop, match: {path: /}, upstream: app, auth: {audiences: [shop]}}]\n"})
	f := &forge{edge: e, t: t}
	for _, aud := range []any{nil, null, "", "SHOP", "shop ", "shop\x00", "shop,x", "xshop", []string{}, []string{""}, []string{"x"}, []any{"x", 1}, []any{[]string{"shop"}}, []any{nil}, members{"shop": true}, 1, true} {
		if res, body := e.get(t, "GET", "/", bearerOf(f.with(members{"aud": aud}))...); res.StatusCode != 401 {
			t.Errorf("aud %v: %d %s", aud, res.StatusCode, body)
		}
	}
	if n := len(e.requests()); n != 0 {
		t.Errorf("%d requests reached the back end", n)
	}
	for _, aud := range []any{"shop", []string{"shop"}, []string{"x", "shop"}} {
		if res, body := e.get(t, "GET", "/", bearerOf(f.with(members{"aud": aud}))...); res.StatusCode != 200 {
			t.Errorf("aud %v: %d %s", aud, res.StatusCode, body)
		}
	}
}

// At no time does one caller get another's identity or answer, however many come
// at once with tokens that begin alike: Traefik CVE-2026-71326.
func TestIdentitiesAreNotSwapped(t *testing.T) {
	a := mustArena(t, edgeOptions{routes: hostileRoutes, check: func(tok *revocation.Token) revocation.Verdict {
		time.Sleep(time.Duration(len(tok.Subject)%3) * 100 * time.Microsecond)
		return nothingRevoked(tok)
	}})
	const callers, each = 16, 20
	var tokens [callers]string
	for i := range tokens {
		tokens[i] = a.edge.token(t, func(c map[string]any) { c["sub"], c["user_id"] = strings.Repeat("u", i+1), strings.Repeat("u", i+1) })
	}
	var all sync.WaitGroup
	for i, raw := range tokens {
		c := a.dial(t)
		all.Go(func() {
			for n := range each {
				target := fmt.Sprintf("/swap/%d/%d", i+1, n)
				_, _ = c.Write([]byte(strings.ReplaceAll(ask(target, bearer), "{T}", raw)))
				if status, body, err := c.read("GET"); status != 200 || body != "GET "+target {
					t.Errorf("%s: %d %q %v", target, status, body, err)
				}
			}
		})
	}
	all.Wait()
	arrived := a.victim.since(0)
	if len(arrived) != callers*each {
		t.Errorf("%d requests arrived, want %d", len(arrived), callers*each)
	}
	for _, raw := range arrived {
		r, err := readStrictly(string(raw))
		if err != nil {
			t.Errorf("%v in\n%q", err, raw)
			continue
		}
		var caller, n int
		if _, err := fmt.Sscanf(r.target, "/swap/%d/%d", &caller, &n); err != nil || len(r.header.Get("X-User-Id")) != caller {
			t.Errorf("%s came as %q", r.target, r.header.Get("X-User-Id"))
		}
	}
}
