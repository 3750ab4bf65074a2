//go:build interop

package streams_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit/interop"
)

// within is how long a stream may outlive the call that revokes its token, and stall how
// long one may on a machine that stands still in this moment.
const (
	within = time.Second
	stall  = 10 * time.Second
)

// open are the streams of one session.
type open struct {
	user    string // user's id
	pair    interop.Pair
	streams map[string]*interop.Talk
}

// mustOpen logs in, opens one stream of each kind and waits until they flow.
func (p *programs) mustOpen(t *testing.T, issuer, edge *interop.Tollgate, name, id string) *open {
	t.Helper()
	o := &open{user: id, pair: issuer.MustLogIn(t, name)}
	o.streams = map[string]*interop.Talk{
		"WebSocket":    p.socket(t, edge, o.pair.Access),
		"event stream": p.events(t, edge, o.pair.Access),
		"gRPC stream":  p.grpc(t, edge, o.pair.Access, "count", "0"),
		"gRPC chat":    p.grpc(t, edge, o.pair.Access, "chat"),
	}
	o.mustFlow(t)
	return o
}

// mustFlow expects that each stream is open and carries messages.
func (o *open) mustFlow(t *testing.T) {
	t.Helper()
	for kind, s := range o.streams {
		for _, l := range s.Drain() {
			if l.Text("closed")+l.Text("status") != "" {
				t.Fatalf("the %s does not flow: %v", kind, l.Object)
			}
		}
		if kind == "WebSocket" || kind == "gRPC chat" {
			s.MustSay(t, "still there?")
			for l := (interop.Line{}); l.Text("message") != "still there?"; {
				if l = s.MustHear(t, "message", "closed", "status", "refused"); l.Text("message") == "" {
					t.Fatalf("the %s does not flow: %v", kind, l.Object)
				}
			}
			continue
		}
		if l := s.MustHear(t, "message", "closed", "status", "refused"); l.Text("message") == "" {
			t.Fatalf("the %s does not flow: %v", kind, l.Object)
		}
	}
}

// mustClose waits for the end of each stream, checks that its client was told
// why, and returns how long after since it came.
func (o *open) mustClose(t *testing.T, since time.Time, reason string) map[string]time.Duration {
	t.Helper()
	ends := map[string]string{
		"WebSocket": "4401 token " + reason, "event stream": "0 ", // its regular end: the client connects again and meets a 401
		"gRPC stream": "Unauthenticated the token is not valid any more", "gRPC chat": "Unauthenticated the token is not valid any more",
	}
	took := map[string]time.Duration{}
	for kind, s := range o.streams {
		l := s.MustHear(t, "closed", "status")
		took[kind] = l.At.Sub(since)
		if got := l.Text("closed") + l.Text("status") + " " + l.Text("reason") + l.Text("detail"); got != ends[kind] {
			t.Errorf("the %s ended with %q, want %q", kind, got, ends[kind])
		}
	}
	return took
}

// checkRevocation revokes at one process and watches the streams of another, an
// edge that signs nothing.
func (p *programs) checkRevocation(t *testing.T) {
	issuer := p.mustServe(t, nil)
	edge := p.mustServe(t, interop.Env{
		"REDIS_URL": issuer.Redis.URL, "ISSUER": issuer.URL, "ENABLE_ISSUER": "false", "ENABLE_ADMIN": "false", "ADMIN_LISTEN": "",
		"TRUSTED_ISSUERS_FILE": interop.MustWrite(t, "issuers.yaml",
			fmt.Sprintf("issuers: [{issuer: %q, jwks_url: %q}]\n", issuer.URL, issuer.URL+"/.well-known/jwks.json")),
	})
	cases := []struct {
		name   string
		revoke func(t *testing.T, o *open)
	}{
		{"jti", func(t *testing.T, o *open) { mustRevoke(t, issuer, "jti", interop.Claim(t, o.pair.Access, "jti")) }},
		{"token", func(t *testing.T, o *open) { mustRevoke(t, issuer, "token", o.pair.Access) }},
		{"session", func(t *testing.T, o *open) { mustRevoke(t, issuer, "session", interop.Claim(t, o.pair.Access, "sid")) }},
		{"log-out", func(t *testing.T, o *open) {
			if status := issuer.MustPost(t, "/api/logout/", o.pair.Access, map[string]string{"refresh_token": o.pair.Refresh}, nil); status != http.StatusOK {
				t.Fatalf("log out: status %d", status)
			}
		}},
		{"subject", func(t *testing.T, o *open) { mustRevoke(t, issuer, "subject", o.user) }},
	}
	var all []time.Duration
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			names, ids := [2]string{}, [2]string{}
			for n := range names {
				names[n] = fmt.Sprintf("%s-%d-%d", c.name, i, n)
				ids[n] = issuer.MustAddUser(t, names[n])
			}
			ended := p.mustOpen(t, issuer, edge, names[0], ids[0])
			// Another session of the same user, where the revocation spares it.
			other := min(1, strings.Count(c.name, "subject"))
			spared := p.mustOpen(t, issuer, edge, names[other], ids[other])
			start := time.Now()
			c.revoke(t, ended)
			answered := time.Since(start)
			for kind, took := range ended.mustClose(t, start, "revoked") {
				t.Logf("revoked by %s (answered after %s): the %s was closed %s after the call began",
					c.name, answered.Round(time.Millisecond), kind, took.Round(time.Millisecond))
				if all = append(all, took); took > stall {
					t.Errorf("the %s outlived its token by %s", kind, took)
				}
			}
			// An event source connects again by itself.
			if got := p.events(t, edge, ended.pair.Access).MustHear(t, "open", "refused").Text("refused"); got != "401" {
				t.Errorf("the stream that was opened again: status %q, want 401", got)
			}
			time.Sleep(within) // whatever would come late has come
			spared.mustFlow(t)
		})
	}
	if slices.Sort(all); len(all) > 0 && all[len(all)*3/4] > within {
		t.Errorf("three of four streams outlived their tokens by up to %s, want at most %s: %s", all[len(all)*3/4], within, all)
	}
}

// mustRevoke calls the admin API itself: a command's own start would be measured
// with it.
func mustRevoke(t *testing.T, g *interop.Tollgate, kind, value string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"kind": kind, "value": value, "reason": "interop"})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.Admin+"/admin/v1/revocations", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+g.Env["ADMIN_TOKEN"])
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("revoke: status %d", res.StatusCode)
	}
}

// checkExpiry revokes nothing: the token is over.
func (p *programs) checkExpiry(t *testing.T) {
	g := p.mustServe(t, interop.Env{"ACCESS_TTL": "12s", "LEEWAY": "0s"}) // long enough for four clients to start
	id := g.MustAddUser(t, "ada")
	o := p.mustOpen(t, g, g, "ada", id)
	exp, ok := interop.Segment(t, o.pair.Access, 1)["exp"].(float64)
	if !ok {
		t.Fatal("no exp")
	}
	for kind, took := range o.mustClose(t, time.Unix(int64(exp), 0), "expired") {
		t.Logf("expired: the %s was closed %s after exp", kind, took.Round(time.Millisecond))
		if took < 0 || took > stall {
			t.Errorf("the %s was closed %s after its token's exp, want 0 to %s", kind, took, within)
		}
	}
}
