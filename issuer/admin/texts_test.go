package admin_test

import (
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/store"
)

// TestIllegibleTexts: what would not be read as it was written is refused by the name of
// its member, wherever people store a text of their own; nothing is kept of it.
func TestIllegibleTexts(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	k.MustReplaceAdmin(t, wired(t, k))
	wantProblem(t, k.Control(t, "POST", "/admin/v1/recover", map[string]any{"accept_loss": true, "reason": "a\nb"}), 400, "bad_request")
	k = opened(t, issuerkit.Options{})
	k.Control(t, "POST", "/admin/v1/clients", map[string]any{"id": "c"}).Must(t, 201)
	type m = map[string]any
	for _, bad := range []string{"\n", "\x00", "\x1b[2J", "\x7f", "\u0085", "\u009b", "\u202e", "\u202a", "\u2066", "\u2069", "\u2028", "\u2029"} {
		for _, c := range []struct {
			method, path, member string
			body                 m
		}{
			{"POST", "/revocations", "reason", m{"kind": "jti", "value": "j"}},
			{"POST", "/users", "username", m{"password": issuerkit.Password}}, {"POST", "/users", "id", m{"username": "u", "password": issuerkit.Password}},
			{"POST", "/users", "email", m{"username": "u", "password": issuerkit.Password}}, {"PATCH", "/users/alice", "email", m{}},
			{"POST", "/clients", "name", m{"id": "d"}}, {"PATCH", "/clients/c", "name", m{}}, {"POST", "/admin-tokens", "name", m{"role": "viewer"}},
		} {
			c.body[c.member] = "a" + bad + "b"
			a := k.Control(t, c.method, "/admin/v1"+c.path, c.body)
			wantProblem(t, a, 400, "bad_request")
			if !strings.Contains(a.Body, "The member "+c.member+" ") {
				t.Errorf("%s %s %q: %s", c.method, c.path, bad, a.Body)
			}
		}
		out := wantDone(t, k.Control(t, "POST", "/admin/v1/user-imports", m{"users": []any{m{"username": "a" + bad}, m{"username": "fine"}}, "dry_run": true}), 200)
		if refused, _ := out["refused"].([]any); len(refused) != 1 || !strings.Contains(refused[0].(map[string]any)["detail"].(string), "username") {
			t.Errorf("an import of %q: %v", bad, out)
		}
	}
	for _, l := range k.MustAudit(t, store.AuditFilter{Actor: "bootstrap"}, 1) {
		if strings.ContainsAny(l.Target+l.Detail, "\n\x00\x1b\x7f\u0085\u009b") {
			t.Errorf("%+v", l)
		}
	}
	// Texts of people stay what they are.
	for _, good := range []string{"Zoë 東京 🔑 (laptop stolen; \"again\")", "שלום\u200f", "العربية\u200e"} {
		if r := k.Control(t, "POST", "/admin/v1/revocations", m{"kind": "jti", "value": good, "reason": good}).Must(t, 201).Map(t); r["reason"] != good {
			t.Errorf("%q became %q", good, r["reason"])
		}
		k.Control(t, "POST", "/admin/v1/clients", m{"name": good}).Must(t, 201)
	}
}

// TestWhateverATokenHoldsIsRevocable: a value is refused only where no token that is
// accepted here can have it.
func TestWhateverATokenHoldsIsRevocable(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	for _, kind := range []string{"jti", "session", "subject"} {
		for _, value := range []string{"..", ".", "a\u202eb", "\u2066x\u2069", "\u2028", "a b", "-x", "é\ufffd", "%2e", "a/b?c#d", strings.Repeat("x", 255)} {
			for _, issuer := range []string{"", "https://other.example"} {
				body := map[string]any{"kind": kind, "value": value, "issuer": issuer}
				if r := k.Control(t, "POST", "/admin/v1/revocations", body).Must(t, 201).Map(t); r["value"] != value {
					t.Errorf("%v: %v", body, r)
				}
			}
		}
		for _, value := range []string{"j\n", "\x00", "a\u0085"} {
			a := k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": kind, "value": value})
			wantProblem(t, a, 400, "bad_request")
			if !strings.Contains(a.Body, "The member value ") {
				t.Errorf("%s", a.Body)
			}
		}
	}
	wantProblem(t, k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": "jti", "value": "j", "issuer": "https://x\n"}), 400, "bad_request")
}

// TestTokensAreNoNames: a whole token given for what only names one revokes nothing, so
// it is refused; neither there nor in a reason is it kept, where everybody who may look
// would have it.
func TestTokensAreNoNames(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	k.MustReplaceAdmin(t, wired(t, k))
	pair := k.MustLogin(t, "alice")
	const small = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0." // shorter than a name may be
	for _, raw := range []string{pair.Access, pair.Refresh, " " + pair.Access, small, small + "c2ln"} {
		for _, kind := range []string{"jti", "session", "subject", "key"} {
			a := k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": kind, "value": raw})
			wantProblem(t, a, 400, "bad_request")
			if !strings.Contains(a.Body, "tollgate revoke token -") || strings.Contains(a.Body, "eyJ") {
				t.Errorf("%s: %s", kind, a.Body)
			}
		}
		reason := map[string]any{"kind": "jti", "value": "j", "reason": "found " + raw + " in a mail"}
		wantProblem(t, k.Control(t, "POST", "/admin/v1/revocations", reason), 400, "bad_request")
		wantProblem(t, k.Control(t, "POST", "/admin/v1/recover", map[string]any{"accept_loss": true, "reason": raw}), 400, "bad_request")
	}
	for _, kind := range []string{"jti", "session", "subject"} {
		wantProblem(t, k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": kind, "value": strings.Repeat("x", 256)}), 400, "bad_request")
	}
	if all := k.Control(t, "GET", "/admin/v1/revocations", nil).Must(t, 200); strings.Contains(all.Body, `"kind"`) {
		t.Errorf("something was kept: %s", all.Body)
	}
	k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": "token", "value": pair.Access}).Must(t, 201)
	// Ids with dots, and those that begin as a token does.
	for _, value := range []string{"a.b.c", "com.example.user", "eyJhbGciOiJub25lIn0", "eyJ.eyJ.x"} {
		k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": "jti", "value": value}).Must(t, 201)
	}
}

// TestUsersOfDots: nobody gets a name that is a step in a path.
func TestUsersOfDots(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	for _, name := range []string{".", ".."} {
		wantProblem(t, k.Control(t, "POST", "/admin/v1/users", map[string]any{"username": name, "password": issuerkit.Password}), 422, "invalid")
		for _, body := range []map[string]any{{"dry_run": true}, {"dry_run": false}, {"update": true}} {
			body["users"] = []any{map[string]any{"username": name}}
			out := k.Control(t, "POST", "/admin/v1/user-imports", body).Must(t, 200).Map(t)
			if refused, _ := out["refused"].([]any); len(refused) != 1 {
				t.Errorf("%q, %v: %v", name, body, out)
			}
		}
		for _, path := range []string{name, strings.ReplaceAll(name, ".", "%2e")} {
			k.Control(t, "GET", "/admin/v1/users/"+path, nil).Must(t, 404)
		}
	}
}
