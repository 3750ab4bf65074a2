package admin_test

import (
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/store"
)

const adminTokens = "/admin/v1/admin-tokens"

// keyedAs sends a POST with an idempotency key and a token of one's own.
func keyedAs(t *testing.T, k *issuerkit.Kit, raw, key, path, body string) issuerkit.Answer {
	t.Helper()
	h := issuerkit.Bearer(raw)
	h.Set("Idempotency-Key", key)
	return k.Send(t, issuerkit.Request{Method: "POST", Path: path, Admin: true, Header: h, Type: "application/json", Body: body})
}

// TestAKeyIsItsTokens: another token that brings the same key and the same request has
// an answer of its own, also where both have one name and one role.
func TestAKeyIsItsTokens(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	_, one := k.MustAdminToken(t, "operator")
	_, two := k.MustAdminToken(t, "operator")
	const body = `{"kind":"subject","value":"1"}`
	answers := map[string]issuerkit.Answer{}
	for _, raw := range []string{one, two, issuerkit.AdminToken} {
		first := keyedAs(t, k, raw, "k", revocations, body).Must(t, 201)
		wantReplay(t, first, keyedAs(t, k, raw, "k", revocations, body))
		for _, other := range answers {
			if other.Body == first.Body {
				t.Errorf("two tokens have the same answer: %s", first.Body)
			}
		}
		answers[raw] = first
	}
	// What belongs to one of them is not in the way of another: nor is it told of.
	keyedAs(t, k, one, "mine", revocations, body).Must(t, 201)
	keyedAs(t, k, two, "mine", revocations, `{"kind":"subject","value":"2"}`).Must(t, 201)
}

// TestAReplayLeavesNoLine: nothing was done again, so the audit log has one line; that
// the answer was given again stands in the access line.
func TestAReplayLeavesNoLine(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	const body = `{"kind":"subject","value":"1"}`
	first := keyed(t, k, "k", revocations, body).Must(t, 201)
	if line := k.Logs.Last(t, "admin:"+revocations); line["reason"] == "replayed" {
		t.Errorf("logged %v", line)
	}
	wantReplay(t, first, keyed(t, k, "k", revocations, body))
	if line := k.Logs.Last(t, "admin:"+revocations); line["reason"] != "replayed" || line["decision"] != "allow" || line["status"] != 201.0 {
		t.Errorf("logged %v", line)
	}
	if lines := k.MustAudit(t, store.AuditFilter{Action: "revocation.add"}, 1); len(lines) != 1 || lines[0].Outcome != "done" {
		t.Errorf("audited %+v", lines)
	}
	// A refusal that comes again was refused once.
	refused := keyed(t, k, "k2", revocations, `{"kind":"x"}`).Must(t, 422)
	wantReplay(t, refused, keyed(t, k, "k2", revocations, `{"kind":"x"}`))
	if line := k.Logs.Last(t, "admin:"+revocations); line["error"] != "replayed" || line["reason"] != nil || line["decision"] != "deny" {
		t.Errorf("logged %v", line)
	}
	if lines := k.MustAudit(t, store.AuditFilter{Action: "revocation.add"}, 2); len(lines) != 2 {
		t.Errorf("audited %+v", lines)
	}
}

// TestARoleIsAskedFirst: who may not call a row gets neither a place nor an answer there.
func TestARoleIsAskedFirst(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	_, viewer := k.MustAdminToken(t, "viewer")
	keys := func() int { return len(k.Redis.Keys(t.Context(), "*answer*").Val()) }
	before := keys()
	for range 2 {
		a := keyedAs(t, k, viewer, "k", adminTokens, `{"name":"more","role":"admin"}`)
		wantProblem(t, a, 403, "role")
		if a.Header.Get("Idempotency-Replayed") != "" {
			t.Error("a refused role was replayed")
		}
	}
	if now := keys(); now != before {
		t.Errorf("%d answers, then %d", before, now)
	}
	keyed(t, k, "k", adminTokens, `{"name":"more","role":"viewer"}`).Must(t, 201)
	if now := keys(); now != before+1 {
		t.Errorf("%d answers after one that is kept", now-before)
	}
}

// TestAnAdminTokenIsKeptSealed: the answer that shows it is the one that must not be
// lost, and must not be read: Redis has the token nowhere, the audit log neither.
func TestAnAdminTokenIsKeptSealed(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	const body = `{"name":"on-call","role":"admin"}`
	first := keyed(t, k, "k", adminTokens, body).Must(t, 201)
	raw := first.Map(t)["token"].(string)
	k.Logs.Secret(raw)
	wantReplay(t, first, keyed(t, k, "k", adminTokens, body))
	if got := items(t, wantDone(t, k.Control(t, "GET", adminTokens, nil), 200)); len(got) != 1 {
		t.Errorf("%d tokens were made", len(got))
	}
	secret := raw[len(raw)-43:] // it may have a "_" of its own
	if dump := k.Mini.Dump(); strings.Contains(dump, secret) || !strings.Contains(dump, "answer") {
		t.Error("Redis has the token as it is, or no answer")
	}
	noSecrets(t, k)
}

// TestARevokedTokenGetsNoAnswer: what it was answered before, it is not answered again.
func TestARevokedTokenGetsNoAnswer(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	id, raw := k.MustAdminToken(t, "admin")
	const body = `{"name":"reports"}`
	keyedAs(t, k, raw, "k", "/admin/v1/clients", body).Must(t, 201)
	k.Control(t, "DELETE", adminTokens+"/"+id, nil).Must(t, 200)
	a := keyedAs(t, k, raw, "k", "/admin/v1/clients", body)
	wantProblem(t, a, 401, "admin_token_required")
	if a.Header.Get("Idempotency-Replayed") != "" || strings.Contains(a.Body, "secret") {
		t.Errorf("%v %s", a.Header, a.Body)
	}
}
