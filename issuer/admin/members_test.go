package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/store"
)

// TestMembersAreOurs: nobody changes what the audit log does not tell of, by another
// spelling of a member or by a second one; and nothing is done.
func TestMembersAreOurs(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	raw := func(method, path, body string) issuerkit.Answer {
		return k.Send(t, issuerkit.Request{Method: method, Path: "/admin/v1" + path, Admin: true, Header: issuerkit.Bearer(issuerkit.AdminToken), Type: "application/json", Body: body})
	}
	const long = "another long password"
	for _, c := range []struct{ method, path, body string }{
		{"PATCH", "/users/alice", `{"PASSWORD":"` + long + `"}`}, {"PATCH", "/users/alice", `{"paſſword":"` + long + `"}`},
		{"PATCH", "/users/alice", `{"email":"a@b.example","Password":"` + long + `"}`}, {"PATCH", "/users/alice", `{"password":"` + long + `","password":null}`},
		{"PATCH", "/users/alice", `{"pass\u0057ord":"` + long + `"}`},
		{"POST", "/users", `{"USERNAME":"bob","password":"` + long + `"}`}, {"POST", "/users", `{"username":"bob","username":null,"password":"` + long + `"}`},
		{"POST", "/revocations", `{"Kind":"subject","value":"1"}`}, {"POST", "/revocations", `{"kind":"jti","value":"a","value":"b"}`},
		{"POST", "/revocations", `{"kind":"subject","KIND":"all","value":""}`}, {"POST", "/clients", `{"id":"c","ID":"d"}`},
		{"POST", "/admin-tokens", `{"name":"n","role":"viewer","Role":"admin"}`}, {"POST", "/keys/rotate", `{"NOW":true}`},
	} {
		r := raw(c.method, c.path, c.body)
		wantProblem(t, r, http.StatusBadRequest, "bad_request")
		if !strings.Contains(r.Body, "twice") && !strings.Contains(r.Body, "unknown member") {
			t.Errorf("%s %s %s: %s", c.method, c.path, c.body, r.Body)
		}
	}
	for _, l := range k.MustAudit(t, store.AuditFilter{Actor: "bootstrap"}, 13) {
		if l.Outcome != store.OutcomeRefused {
			t.Errorf("%+v", l)
		}
	}
	k.MustLogin(t, "alice") // by the password that she had
	// What stands in a value is its owner's to name.
	raw("PATCH", "/users/alice", `{"attributes":{"Tenant":"a","tenant":"b","x":{"X":1}}}`).Must(t, 200)
}
