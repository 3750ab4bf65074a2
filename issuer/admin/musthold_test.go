package admin_test

import (
	"net/http"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/admin"
	"tollgate/issuer/users"
)

// No user's token and no header opens the control plane, and the public listener
// does not have it.
func TestMustHold25_AdminIsApart(t *testing.T) {
	t.Run("every row needs the admin token", TestEveryRowNeedsTheAdminToken)
	k := opened(t, issuerkit.Options{})
	k.MustUser(t, users.New{Username: "root", IsStaff: true, IsSuperuser: true})
	root := k.MustLogin(t, "root")
	for _, tricks := range []http.Header{
		{"X-Forwarded-For": {"127.0.0.1"}, "X-Real-Ip": {"127.0.0.1"}, "Forwarded": {"for=127.0.0.1"}}, {"X-Original-Url": {"/"}, "X-Rewrite-Url": {"/"}, "X-Forwarded-Prefix": {"/"}},
		{"X-Http-Method-Override": {"OPTIONS"}}, {"X-User-Id": {"1"}, "X-Token-Scope": {"admin"}, "X-Admin": {"true"}, "Remote-User": {"root"}},
		{"Origin": {"http://127.0.0.1:8081"}, "Sec-Fetch-Site": {"same-origin"}}, {"User-Agent": {"kube-probe/1.30"}}, {"Cookie": {"admin=" + issuerkit.AdminToken}}, {"Proxy-Authorization": {"Bearer " + issuerkit.AdminToken}},
	} {
		for _, auth := range []string{"", "Bearer " + root.Access} {
			h := tricks.Clone()
			if auth != "" {
				h.Set("Authorization", auth)
			}
			for _, r := range admin.Rows() {
				a := k.Send(t, issuerkit.Request{Method: r.Method, Path: r.Path, Admin: true, Header: h, Type: "application/json", Body: `{"kind":"all"}`})
				wantProblem(t, a, http.StatusUnauthorized, "admin_token_required")
			}
		}
	}
	for _, r := range admin.Rows() {
		a := k.Send(t, issuerkit.Request{Method: r.Method, Path: r.Path, Header: issuerkit.Bearer(issuerkit.AdminToken)})
		if a.Status != http.StatusNotFound {
			t.Errorf("%s %s on the public listener: %d", r.Method, r.Path, a.Status)
		}
	}
	if status := k.Verify(t, root.Access); status != http.StatusOK {
		t.Errorf("something was done: %d", status)
	}
}
