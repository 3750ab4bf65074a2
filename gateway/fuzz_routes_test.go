package gateway

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// FuzzReadRoutes: no file brings the reader down, and a file that was accepted says
// the same when it is written anew from what was understood.
func FuzzReadRoutes(f *testing.F) {
	// Short ones: the fuzzer tries to make each find as short as can be.
	const head = "version: 1\nupstreams: {u: {urls: [\"http://h\"]}}\nroutes:\n- {name: a, match: {path: /}, upstream: u"
	for _, seed := range []string{
		"}\n", ", auth: {mode: none}}\n- {name: b, match: {path: /b, methods: [GET], hosts: [\"*.h\"], allow: [semicolon]}, upstream: u}", ", auth: {claims: {a: 1, b: [x, y], c: {present: true}}, scopes: [s], audiences: [a]}}",
		", limits: {body: 2MiB, rate: 5/s, per: address}, timeout: 1m, cors: {origins: [\"https://h\"]}}", ", rewrite: {strip_prefix: /, preserve_host: true}, websocket: true, identity_headers: {X-A: b}}", ", auth: {token_from: [header, \"cookie:a\", \"query:t\", websocket-protocol]}}",
		", revocation: {on_unavailable: allow, max_stale: 1s}, report_only: true, close_streams: false}", ", match: {path: /}}", ", x: 1}", ", auth: &a {mode: none}}\n- {name: b, match: {path: /b}, upstream: u, auth: *a}",
	} {
		f.Add(head + seed)
	}
	for _, seed := range []string{"", "version: 1", "a: &a [*a]", "{}", "[]", "version: 1\n---\n", "\x00", "routes: {", "version: 1e999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2<<10 || strings.Contains(text, "_file") {
			return // a file that it names is not part of it
		}
		table, err := ReadRoutes([]byte(text), Defaults{UserIDClaim: "user_id"})
		if err != nil {
			return
		}
		anew, err := yaml.Marshal(describeAll(table))
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadRoutes(anew, Defaults{UserIDClaim: "user_id"})
		if err != nil {
			t.Fatalf("%v in\n%s\nfrom\n%s", err, anew, text)
		}
		for i, r := range table.Routes() {
			if was, is := fmt.Sprintf("%+v", r.Describe()), fmt.Sprintf("%+v", again.Routes()[i].Describe()); was != is {
				t.Errorf("%s became %s in\n%s", was, is, anew)
			}
		}
	})
}

// describeAll writes a routes file from what was understood of one.
func describeAll(table *Table) map[string]any {
	upstreams, routes := map[string]any{}, []any{}
	for _, r := range table.Routes() {
		d := r.Describe()
		upstreams[d.Upstream] = map[string]any{"urls": d.URLs}
		claims := map[string]any{}
		for _, rule := range r.Policy.Claims {
			claims[rule.Name] = rule.OneOf
			if len(rule.OneOf) == 0 {
				claims[rule.Name] = map[string]bool{"present": true}
			}
		}
		route := map[string]any{
			"name": d.Name, "match": map[string]any{"hosts": d.Hosts, "path": d.Path, "methods": d.Methods, "allow": d.Allow}, "upstream": d.Upstream, "websocket": d.WebSocket,
			"auth":       map[string]any{"mode": d.Mode, "audiences": d.Audiences, "token_types": d.TokenTypes, "scopes": d.Scopes, "claims": claims},
			"revocation": map[string]any{"on_unavailable": d.OnUnavailable, "max_stale": d.MaxStale}, "timeout": d.Timeout, "report_only": d.ReportOnly,
			"rewrite": map[string]any{"strip_prefix": d.StripPrefix, "preserve_host": d.PreserveHost}, "origins": d.Origins, "identity_headers": map[string]string{},
		}
		if r.Mode != None {
			route["auth"].(map[string]any)["token_from"] = append([]string{}, d.TokenFrom...)
		}
		for _, h := range r.Identity {
			if !h.OrSubject {
				route["identity_headers"].(map[string]string)[h.Name] = h.Claim
			}
		}
		route["cors"] = map[string]any{"origins": d.CORSOrigins}
		route["close_streams"], route["forward_authorization"] = d.CloseStreams, d.ForwardAuthorization
		limits := map[string]any{}
		if d.BodyLimit > 0 {
			limits["body"] = d.BodyLimit
		}
		if rate, per, found := strings.Cut(d.Rate, " per "); found {
			limits["rate"], limits["per"] = rate, per
		}
		route["limits"] = limits
		routes = append(routes, route)
	}
	return map[string]any{"version": 1, "upstreams": upstreams, "routes": routes}
}
