package gateway

import (
	"strings"
	"testing"
)

// attack is one hostile connection.
type attack struct {
	// name says what is tried, and the advisory that showed it elsewhere.
	name string
	// raw is what the client sends; {T} stands for a good token, {L} for the length
	// of what follows the first head.
	raw string
	// want are the answers, then what becomes of the connection: "400 closed", by
	// the gateway; "400 either"; otherwise it must serve an innocent request next.
	want string
	// arrive lists what may reach the back end, anew framed: "GET /x", with "42"
	// before it when it comes with that identity. Empty: nothing.
	arrive []string
	// body of the last that arrives.
	body string
}

// class is a family of attacks.
type class struct {
	name    string
	attacks []attack
}

// classes are all requests of the suite.
func classes() []class {
	return []class{
		{"framing", framingAttacks()}, {"chunks", chunkAttacks()}, {"syntax", syntaxAttacks()}, {"size", sizeAttacks()},
		{"target", targetAttacks()}, {"path", pathAttacks()}, {"spelling", spellingAttacks()}, {"bypass", bypassAttacks()}, {"method", methodAttacks()},
		{"host", hostAttacks()}, {"identity", identityAttacks()}, {"forwarding", forwardingAttacks()}, {"upgrade", upgradeAttacks()},
		{"credential", credentialAttacks()},
	}
}

const hostileRoutes = `
version: 1
upstreams: {app: {urls: ["BACKEND"]}}
routes:
  - {name: site, match: {path: /}, upstream: app}
  - {name: public, match: {path: /public}, upstream: app, auth: {mode: none}}
  - {name: optional, match: {path: /optional}, upstream: app, auth: {mode: optional}}
  - {name: admin, match: {path: /admin}, upstream: app, auth: {scopes: [admin]}, identity_headers: {X-Tenant: tenant}}
  - {name: socket, match: {path: /ws}, upstream: app, websocket: true}
  - {name: loose, match: {path: /loose, allow: [encoded_slash, semicolon, double_slash]}, upstream: app, auth: {mode: none}}
  - {name: loose-secret, match: {path: /loose/secret}, upstream: app}
  - {name: strip, match: {path: /strip, allow: [encoded_slash, semicolon]}, upstream: app, auth: {mode: none}, rewrite: {strip_prefix: /strip}}
  - {name: strip-secret, match: {path: /strip/secret}, upstream: app, rewrite: {strip_prefix: /strip}}
  - {name: read, match: {path: /read, methods: [GET]}, upstream: app, auth: {mode: none}}
  - {name: small, match: {path: /small}, upstream: app, auth: {mode: none}, limits: {body: 16}}
  - {name: cookie, match: {path: /cookie}, upstream: app, websocket: true, auth: {token_from: ["cookie:access"]}}
  - {name: query, match: {path: /query}, upstream: app, auth: {token_from: ["query:tok"]}}
  - {name: named, match: {path: /named}, upstream: app, auth: {token_from: ["header:X-Access-Token"]}}
  - {name: cors, match: {path: /cors}, upstream: app, cors: {origins: ["https://app.example"]}}
  - {name: vip, match: {hosts: [vip.example], path: /}, upstream: app, auth: {scopes: [admin]}}
  - {name: open, match: {hosts: [open.example], path: /}, upstream: app, auth: {mode: none}}
  - {name: kept, match: {hosts: [kept.example], path: /}, upstream: app, auth: {mode: none}, rewrite: {preserve_host: true}}
  - {name: tenants, match: {hosts: ["*.tenant.example"], path: /}, upstream: app, auth: {scopes: [admin]}}
`

// hostile carries out classes of attacks. Each hostile request is refused with the
// right answer, or framed anew so that no two parsers can differ about it. None
// that is refused reaches the back end, none gives a 5xx, and nobody else notices.
func hostile(t *testing.T, names string) *arena {
	t.Helper()
	a := mustArena(t, edgeOptions{routes: hostileRoutes})
	for _, class := range classes() {
		if !strings.Contains(names, class.name) {
			continue
		}
		t.Run(class.name, func(t *testing.T) {
			for _, at := range class.attacks {
				t.Run(at.name, func(t *testing.T) { a.run(t, at) })
			}
		})
	}
	a.settled(t)
	return a
}

func TestMustHold09_OneCredential(t *testing.T)        { hostile(t, "credential") }
func TestMustHold10_NothingIsImitated(t *testing.T)    { hostile(t, "identity forwarding") }
func TestMustHold12_NothingGoesAround(t *testing.T)    { hostile(t, "target path spelling bypass method") }
func TestMustHold14_OneRequestAtMost(t *testing.T)     { hostile(t, "framing chunks syntax size") }
func TestMustHold15_OneHostChoosesPolicy(t *testing.T) { hostile(t, "host") }

// Of all upgrades one opens a tunnel, and no request goes through it.
func TestMustHold13_NoTunnelByIntent(t *testing.T) {
	if through := hostile(t, "upgrade").victim.tunnelled(); strings.Contains(through, "HTTP/1.1") {
		t.Errorf("%q went through a tunnel", through)
	}
}

// The suite is what the project promises: at least 150 hostile requests, each once.
func TestHostileSuiteIsWhole(t *testing.T) {
	const least = 150
	seen, n := map[string]bool{}, 0
	for _, class := range classes() {
		for _, at := range class.attacks {
			n++
			if seen[at.raw] || seen[class.name+at.name] {
				t.Errorf("%s: %s comes twice", class.name, at.name)
			}
			seen[at.raw], seen[class.name+at.name] = true, true
		}
	}
	t.Logf("%d hostile requests", n)
	if n < least {
		t.Errorf("%d hostile requests, want at least %d", n, least)
	}
}
