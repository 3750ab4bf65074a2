package issuer_test

import (
	"fmt"
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/keys/token"
)

// lastOf returns the newest line of an action, once there are so many.
func lastOf(t *testing.T, k *issuerkit.Kit, action string, n int) store.Line {
	t.Helper()
	l := k.MustAudit(t, store.AuditFilter{Action: action}, n)[0]
	if l.Via != "public" || l.Remote != "127.0.0.1" || len(l.RequestID) != 32 {
		t.Errorf("%+v", l)
	}
	return l
}

// TestPublicRowsAreAudited: who, what and how it ended, and no secret in any line.
func TestPublicRowsAreAudited(t *testing.T) {
	k := royal(t)
	k.Logs.Secret(newPassword, "a wrong password")
	alice := k.MustLogin(t, "alice")
	sid := issuerkit.Text(t, alice.Access, "sid")
	if l := lastOf(t, k, "login", 1); l.Actor != "alice" || l.ActorID != "1" || l.Session != sid || l.Outcome != "done" {
		t.Errorf("%+v", l)
	}
	k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": "a wrong password"}).Must(t, 401)
	if l := lastOf(t, k, "login", 2); l.Target != "alice" || l.Actor != "alice" || l.Outcome != "refused" || l.Detail != "credentials" || l.ActorID != "" {
		t.Errorf("%+v", l)
	}
	drfLogin(t, k, "bob")
	if l := lastOf(t, k, "login", 3); l.Actor != "bob" || l.Outcome != "done" || l.Session == "" {
		t.Errorf("%+v", l)
	}
	change(t, k, alice.Access, "a wrong password", newPassword).Must(t, 400)
	if l := lastOf(t, k, "password.change", 1); l.Outcome != "refused" {
		t.Errorf("%+v", l)
	}
	var next issuerkit.Pair
	change(t, k, alice.Access, issuerkit.Password, newPassword).Must(t, 200).Into(t, &next)
	if l := lastOf(t, k, "password.change", 2); l.Outcome != "done" || l.Actor != "user:1" || l.Target != "alice" || l.Session != sid {
		t.Errorf("%+v", l)
	}
	later := k.MustRefresh(t, next.Refresh)
	k.MustRefresh(t, later.Refresh)
	k.Post(t, "/api/token/refresh/", map[string]any{"refresh": next.Refresh}).Must(t, 401)
	if l := lastOf(t, k, "refresh.reuse", 1); l.Outcome != "refused" || l.ActorID != "1" || l.Target != issuerkit.Text(t, next.Refresh, "jti") {
		t.Errorf("%+v", l)
	}
	bob := k.MustLogin(t, "bob")
	k.Post(t, "/api/logout/", map[string]any{}, bob.Access).Must(t, 200)
	if l := lastOf(t, k, "session.end", 1); l.Target != issuerkit.Text(t, bob.Access, "sid") || l.Actor != "user:2" || l.Detail != "logout" {
		t.Errorf("%+v", l)
	}
	bob = k.MustLogin(t, "bob")
	k.Post(t, "/api/logout/", map[string]any{"all": true}, bob.Access).Must(t, 200)
	if l := lastOf(t, k, "session.end_all", 1); l.Target != "2" {
		t.Errorf("%+v", l)
	}
	root := k.MustLogin(t, "root")
	acting := k.Post(t, "/api/token/impersonate/", map[string]any{"user": "2"}, root.Access).Must(t, 200).Map(t)["access"].(string)
	if l := lastOf(t, k, "impersonation.begin", 1); l.Actor != "root" || l.Target != "bob" || l.Session != issuerkit.Text(t, acting, "sid") {
		t.Errorf("%+v", l)
	}
	k.Post(t, "/api/token/impersonate/end/", map[string]any{"token": acting}).Must(t, 200)
	if l := lastOf(t, k, "impersonation.end", 1); l.Actor != "root" || l.Target != "bob" {
		t.Errorf("%+v", l)
	}
	k.Send(t, issuerkit.Request{Path: "/oauth/token", Type: "application/x-www-form-urlencoded", Body: "grant_type=client_credentials&client_id=nobody&client_secret=tgs_0123456789abcdefgh"}).Must(t, 401)
	if l := lastOf(t, k, "client.login", 1); l.Target != "nobody" || l.Outcome != "refused" {
		t.Errorf("%+v", l)
	}
	text := fmt.Sprintf("%+v", k.MustAudit(t, store.AuditFilter{}, 0))
	head, _, _ := strings.Cut(alice.Access, ".") // which every token begins with; "eyJ" alone may be in a random id
	for _, secret := range []string{issuerkit.Password, newPassword, "a wrong password", acting, head, "tgs_0123456789abcdefgh"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in the audit log", secret)
		}
	}
}

// TestLoginWithoutTheAuditLog: a log-in neither waits for the log nor fails with it;
// what is lost is counted.
func TestLoginWithoutTheAuditLog(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(k.Redis.Set(t.Context(), "t:{audit}:events", "no stream", 0).Err())
	k.MustLogin(t, "alice")
	for n := 0; k.Metric(t, "tollgate_audit_lost_total") == "0"; n++ {
		if n > 5000 {
			t.Fatal("the lost line was not counted")
		}
		k.MustRefresh(t, k.MustLogin(t, "bob").Refresh)
	}
}

// TestWhoMayImpersonate: what an administrator has to know of a user before he lets
// somebody set the user's password.
func TestWhoMayImpersonate(t *testing.T) {
	for name, c := range map[string]struct {
		rule *token.ClaimRule
		user users.User
		want bool
	}{
		"nobody":                {nil, users.User{ID: "1", Attributes: map[string]any{"helps": true}}, false},
		"a superuser":           {nil, users.User{ID: "1", IsSuperuser: true}, true},
		"the claim":             {&token.ClaimRule{Name: "support"}, users.User{Attributes: map[string]any{"helps": "x"}}, true},
		"the claim is false":    {&token.ClaimRule{Name: "support"}, users.User{Attributes: map[string]any{"helps": false}}, true},
		"without the claim":     {&token.ClaimRule{Name: "support"}, users.User{}, false},
		"one of":                {&token.ClaimRule{Name: "support", OneOf: []string{"true"}}, users.User{Attributes: map[string]any{"helps": true}}, true},
		"none of":               {&token.ClaimRule{Name: "support", OneOf: []string{"true"}}, users.User{Attributes: map[string]any{"helps": false}}, false},
		"another text":          {&token.ClaimRule{Name: "support", OneOf: []string{"a"}}, users.User{Attributes: map[string]any{"helps": "b"}}, false},
		"a list: cannot tell":   {&token.ClaimRule{Name: "support", OneOf: []string{"a"}}, users.User{Attributes: map[string]any{"helps": []any{"b"}}}, true},
		"by the subject":        {&token.ClaimRule{Name: "sub", OneOf: []string{"7"}}, users.User{ID: "7"}, true},
		"by the user's id":      {&token.ClaimRule{Name: "user_id", OneOf: []string{"7"}}, users.User{ID: "7"}, true},
		"another claim's claim": {&token.ClaimRule{Name: "other"}, users.User{Attributes: map[string]any{"helps": true}}, false},
	} {
		i := &issuer.Issuer{Config: issuer.Config{ImpersonateClaim: c.rule, Claims: issuer.ClaimSettings{
			UserIDClaim: "user_id", UserIDField: "id", Custom: []issuer.CustomClaim{{Claim: "support", Attribute: "helps"}},
		}}}
		if got := i.MayImpersonate(c.user); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
		if !i.Carries("helps") || !i.Carries("id") || i.Carries("support") || i.Carries("email") {
			t.Errorf("%s: what tokens carry", name)
		}
	}
}

// TestATriedNameThatNobodyHas is in neither the audit log nor the log of the process:
// people type their passwords there.
func TestATriedNameThatNobodyHas(t *testing.T) {
	k := royal(t)
	const typed = "hunter2 in the wrong field"
	k.Logs.Secret(typed)
	for n, path := range []string{"/api/token/", "/api/token/sliding/"} {
		k.Post(t, path, map[string]any{"username": typed, "password": "a wrong password"}).Must(t, 401)
		if l := lastOf(t, k, "login", n+1); l.Actor != "" || l.Target != "" || l.Outcome != "refused" || l.Detail != "unknown_user" || l.Remote == "" {
			t.Errorf("%s: %+v", path, l)
		}
	}
	if text := fmt.Sprintf("%+v", k.MustAudit(t, store.AuditFilter{}, 2)); strings.Contains(text, typed) {
		t.Errorf("%s", text)
	}
}
