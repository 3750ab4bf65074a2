package gateway

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/revocation"
)

// Only the configured upstream is ever dialled, whatever a request says, what its
// answer says, and what the environment says.
func TestMustHold15_OnlyTheUpstreamIsDialled(t *testing.T) {
	trap, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	var dialled atomic.Int64
	go func() {
		for {
			c, err := trap.Accept()
			if err != nil {
				return
			}
			dialled.Add(1)
			c.Close()
		}
	}()
	there := trap.Addr().String()
	t.Setenv("HTTP_PROXY", "http://"+there)
	t.Setenv("ALL_PROXY", "http://"+there)
	a := mustArena(t, edgeOptions{routes: hostileRoutes})
	for _, raw := range []string{
		ask("http://" + there + "/public/x"), "GET /public/x HTTP/1.1\r\nHost: " + there + "\r\n\r\n", ask("/public/x", "X-Forwarded-Host: "+there, "Forwarded: host="+there), ask("/public/x", "X-Original-URL: http://"+there+"/", "X-Rewrite-URL: http://"+there+"/"),
		ask("/public/http://" + there + "/"), ask("//" + there + "/public/x"), ask("/public/x?url=http://" + there + "/"), ask("/public/x", "Proxy: http://"+there), "CONNECT " + there + " HTTP/1.1\r\nHost: " + there + "\r\n\r\n",
		ask("/public/x", "Referer: http://"+there+"/", "Origin: http://"+there), ask("/public@" + there + "/"), ask("/public/x", "Alt-Used: "+there, "Upgrade-Insecure-Requests: 1"),
		strings.Replace(ask("/x"), "Host: h", "Host: kept.example", 1),
	} {
		c := a.dial(t)
		_, _ = c.Write([]byte(raw))
		if status, body, err := c.read(http.MethodGet); status == 0 || status >= 500 {
			t.Errorf("%d %s %v for\n%q", status, body, err, raw)
		}
		c.Close()
	}
	e := mustEdge(t, edgeOptions{routes: public(""), handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://"+there+"/")
		w.Header().Set("Refresh", "0;url=http://"+there+"/")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}})
	if res, _ := e.get(t, "GET", "/"); res.StatusCode != http.StatusTemporaryRedirect {
		t.Errorf("a redirect came as %d", res.StatusCode)
	}
	if n := dialled.Load(); n != 0 {
		t.Errorf("another server was dialled %d times", n)
	}
}

// Each refusal of a token says the same to the client: one challenge, with an error
// only where a token was presented, and nothing of what is known inside. Bodies
// may tell expired and wrong-typed tokens apart, as SimpleJWT's
// do, and name the reasons that SimpleJWT does not know. Traefik CVE-2022-23469 had
// tokens in its log.
func TestMustHold16_RefusalsTellNothing(t *testing.T) {
	e := mustEdge(t, edgeOptions{check: func(tok *revocation.Token) revocation.Verdict {
		return revocation.Verdict{State: map[bool]revocation.State{true: revocation.Revoked, false: revocation.Clear}[tok.JTI == "gone"], Kind: revocation.KindJTI}
	}})
	f := &forge{edge: e, t: t}
	now := time.Now().Unix()
	good := f.with(nil)
	challenges, bodies := map[string]bool{}, map[string]bool{}
	for name, raw := range map[string]string{
		"garbage": "x.y.z", "expired": f.with(members{"exp": now - 60}), "revoked": f.with(members{"jti": "gone"}), "issuer": f.with(members{"iss": "https://internal.example"}), "key": f.under(members{"kid": "internal-kid"}), "type": f.with(members{"token_type": "refresh"}),
		"signature": good[:strings.LastIndexByte(good, '.')+1] + strings.Repeat("A", 86), "algorithm": f.under(members{"alg": "none"}), "not yet": f.with(members{"nbf": now + 60}), "no subject": f.with(members{"sub": nil}), "bound": f.with(members{"cnf": members{"jkt": "x"}}),
	} {
		res, body := e.get(t, "GET", "/x", bearerOf(raw)...)
		got := res.Header.Values("WWW-Authenticate")
		if res.StatusCode != 401 || len(got) != 1 || !strings.Contains(got[0], `error="invalid_token"`) || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %q %v", name, res.StatusCode, got, res.Header)
		}
		challenges[strings.Join(got, "|")], bodies[body] = true, true
		for _, secret := range append(strings.Split(raw, "."), "internal", e.kid, "ecdsa", ".go:", "127.0.0.1", issuerName) {
			if len(secret) > 2 && strings.Contains(body+strings.Join(got, ""), secret) {
				t.Errorf("%s: the answer says %q: %s %q", name, secret, body, got)
			}
		}
		if strings.Contains(e.logs.String(), raw) {
			t.Errorf("%s: the token is in the log", name)
		}
	}
	if len(challenges) != 1 || len(bodies) > 4 { // invalid, expired, wrong type, revoked
		t.Errorf("%d challenges, %d bodies: %v", len(challenges), len(bodies), bodies)
	}
	res, _ := e.get(t, "GET", "/x")
	if got := res.Header.Values("WWW-Authenticate"); len(got) != 1 || strings.Contains(got[0], "error") {
		t.Errorf("without a token: %q", got)
	}
}

// Without a definite answer about revocation nothing is forwarded. To let through
// is a route's own explicit choice, and covers a store that cannot be reached
// alone.
func TestMustHold22_NoAnswerLetsNothingThrough(t *testing.T) {
	causes := map[string]revocation.Verdict{
		"unreachable": {State: revocation.Unknown, Cause: revocation.CauseUnreachable, Err: errors.New("dial tcp 10.0.0.9:6379: refused")},
		"lost":        {State: revocation.Unknown, Cause: revocation.CauseLost},
		"loading":     {State: revocation.Unknown, Cause: revocation.CauseLoading},
		"stale":       {State: revocation.Clear, Stale: time.Hour},
		"nothing":     {State: revocation.Unknown},
		"a new state": {State: 99},
	}
	for _, setting := range []string{"", "deny", "allow"} {
		for name, verdict := range causes {
			routes := "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app"
			if setting != "" {
				routes += ", revocation: {on_unavailable: " + setting + "}"
			}
			e := mustEdge(t, edgeOptions{routes: routes + "}]\n", check: func(*revocation.Token) revocation.Verdict { return verdict }})
			start := time.Now()
			res, body := e.get(t, "GET", "/x", bearerOf(e.token(t))...)
			if took := time.Since(start); took > 3*time.Second { // nobody is waited for
				t.Errorf("%s %s: answered after %s", setting, name, took)
			}
			if strings.Contains(body, "10.0.0.9") {
				t.Errorf("%s %s: the answer names the store: %s", setting, name, body)
			}
			if setting == "allow" && (name == "unreachable" || name == "stale") {
				if res.StatusCode != 200 {
					t.Errorf("%s %s: %d %s", setting, name, res.StatusCode, body)
				}
				continue
			}
			if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" || len(e.requests()) != 0 {
				t.Errorf("%q %s: %d %s, %d requests reached the back end", setting, name, res.StatusCode, body, len(e.requests()))
			}
		}
	}
}
