package gateway

import (
	"testing"
	"time"

	"tollgate/revocation"
)

// What is open with an impersonation token ends with the actor's log-in, by its own
// birth: a cut-off from before that log-in leaves it open.
func TestStreamEndsWithItsActor(t *testing.T) {
	login := time.Now().Add(-time.Hour).UnixMicro()
	sid := revocation.NewSessionID(login)
	for name, row := range map[string]struct {
		kind  revocation.Kind
		id    string
		cut   int64
		stays bool
	}{
		"the actor's cut-off":                    {revocation.KindSubject, "admin", login, false},
		"the actor's session":                    {revocation.KindSession, sid, 1, false},
		"a cut-off before the actor's log-in":    {revocation.KindSubject, "admin", login - 1, true},
		"the user's cut-off before the token's":  {revocation.KindSubject, "42", login + 1, true},
		"the user's own cut-off":                 {revocation.KindSubject, "42", time.Now().Add(time.Hour).UnixMicro(), false},
		"another who has the session's own name": {revocation.KindSubject, sid, login, true},
	} {
		t.Run(name, func(t *testing.T) {
			e := mustEdge(t, edgeOptions{routes: streamRoutes, handler: streaming})
			raw := e.token(t, func(c map[string]any) { c["act"], c["act_sid"] = map[string]string{"sub": "admin"}, sid })
			s := e.dial(t, "/ws", "Authorization", "Bearer "+raw)
			s.wantHello(t)
			e.gateway.Apply([]revocation.Record{{Digest: revocation.DigestOf(issuerName, row.kind, row.id), Kind: row.kind, Cut: row.cut}})
			if open := e.gateway.OpenStreams() == 1; row.stays && !open {
				t.Error("closed")
			}
			if !row.stays {
				s.wantClosed(t, "revoked")
			}
		})
	}
}

// The access line says who acted.
func TestActorInTheLog(t *testing.T) {
	e := mustEdge(t, edgeOptions{})
	e.get(t, "GET", "/", "Authorization", "Bearer "+e.token(t, func(c map[string]any) { c["act"] = map[string]string{"sub": "admin"} }))
	if !contains(e.logs.String(), `"sub":"42","act":"admin"`) {
		t.Errorf("%s", e.logs.String())
	}
}
