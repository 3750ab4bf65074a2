package admin_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/admin"
	"tollgate/issuer/users"
	"tollgate/keys/token"
)

// TestRolesAsDocumented: the table of docs/admin.md is the table of the program, and
// each row of the API is in it once.
func TestRolesAsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/admin.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for _, r := range admin.Rows() {
		rows[r.Method+" "+r.Path] = true
	}
	for _, a := range admin.Accesses() {
		line := fmt.Sprintf("| `%s %s` | %s | %s |", a.Method, a.Path, a.Least, strings.Replace(a.Action, "read", "–", 1))
		if strings.Count(string(text), line) != 1 {
			t.Errorf("docs/admin.md has not one line %s", line)
		}
		parts := strings.Split("/admin/v1"+a.Path, "/")
		for i := range parts {
			if strings.HasPrefix(parts[i], ":") {
				parts[i] = "x"
			}
		}
		if row := a.Method + " " + strings.Join(parts, "/"); !rows[row] {
			t.Errorf("%s: there is no such row, or it stands twice", row)
		} else {
			delete(rows, row)
		}
		if a.Method == "DELETE" && a.Action == "read" || a.Least == "viewer" && a.Action != "read" {
			t.Errorf("%s: a change that is not audited, or that a viewer makes", line)
		}
	}
	if len(rows) > 0 {
		t.Errorf("no role is named for %v", rows)
	}
}

// hostile is a body with which a row would do the most.
func hostile(path string, sid string) map[string]any {
	switch strings.TrimPrefix(path, "/admin/v1") {
	case "/revocations":
		return map[string]any{"kind": "session", "value": sid}
	case "/users":
		return map[string]any{"username": "mallory", "password": issuerkit.Password, "is_superuser": true}
	case "/users/x":
		return map[string]any{"is_superuser": true}
	case "/user-imports":
		return map[string]any{"users": []any{map[string]any{"username": "mallory", "is_superuser": true}}, "update": true}
	case "/tokens":
		return map[string]any{"subject": "1"}
	case "/clients":
		return map[string]any{"id": "mallory"}
	case "/clients/x":
		return map[string]any{"rotate_secret": true}
	case "/admin-tokens":
		return map[string]any{"name": "mallory", "role": "admin"}
	case "/recover", "/recover/check":
		return map[string]any{"accept_loss": true}
	case "/keys/rotate":
		return map[string]any{"now": true}
	}
	return nil
}

// state is all that a row could have changed.
func state(t *testing.T, k *issuerkit.Kit, access string) string {
	t.Helper()
	out := fmt.Sprintf("verify %d; ring %d; tokens %s;", k.Verify(t, access), k.Ring.Ring().Version, k.Metric(t, `tollgate_tokens_issued_total{grant="admin",kind="access"}`))
	for _, path := range []string{"/admin/v1/users", "/admin/v1/clients", "/admin/v1/revocations", "/admin/v1/sessions?subject=1"} {
		out += k.Control(t, "GET", path, nil).Must(t, 200).Body
	}
	for _, a := range items(t, k.Control(t, "GET", "/admin/v1/admin-tokens", nil).Map(t)) {
		out += fmt.Sprint(a["id"], a["role"], a["state"])
	}
	return out
}

// TestRolesOverEveryRow: what is above a role is refused and does nothing, whatever it
// asks for; what is not, is not refused for the role.
func TestRolesOverEveryRow(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	k.MustUser(t, users.New{Username: "x"})
	pair := k.MustLogin(t, "alice")
	k.Control(t, "POST", "/admin/v1/clients", map[string]any{"id": "x"}).Must(t, 201)
	least := map[string]string{}
	for _, a := range admin.Accesses() {
		least[a.Method+" "+a.Path] = a.Least
	}
	rank := map[string]int{"none": 0, "viewer": 1, "operator": 2, "admin": 3}
	accesses := admin.Accesses()
	for _, role := range []string{"none", "viewer", "operator", "admin"} {
		_, raw := k.MustAdminToken(t, role)
		before := state(t, k, pair.Access)
		for i, r := range admin.Rows() {
			needed := least[rowOf(r, accesses)]
			if rank[role] >= rank[needed] {
				continue
			}
			a := k.Send(t, issuerkit.Request{Method: r.Method, Path: r.Path, Admin: true, Header: issuerkit.Bearer(raw), Type: "application/json", Body: encoded(t, hostile(r.Path, issuerkit.Text(t, pair.Access, "sid")))})
			wantProblem(t, a, 403, "role")
			if !strings.Contains(a.Body, needed) {
				t.Errorf("row %d: %s", i, a.Body)
			}
		}
		if after := state(t, k, pair.Access); after != before {
			t.Errorf("%s: something was done:\n%s\n%s", role, before, after)
		}
		for _, r := range admin.Rows() {
			needed := least[rowOf(r, accesses)]
			if rank[role] < rank[needed] || needed == "admin" && strings.Contains(r.Path, "x") {
				continue
			}
			a := k.Send(t, issuerkit.Request{Method: r.Method, Path: r.Path, Admin: true, Header: issuerkit.Bearer(raw)})
			if a.Status == 401 || a.Status == 403 {
				t.Errorf("%s: %s %s: %d %s", role, r.Method, r.Path, a.Status, a.Body)
			}
		}
	}
}

// rowOf finds the method and path of a row in the table of the roles.
func rowOf(r admin.Row, all []admin.Access) string {
	for _, a := range all {
		if a.Method == r.Method && matches("/admin/v1"+a.Path, r.Path) {
			return a.Method + " " + a.Path
		}
	}
	return ""
}

func matches(pattern, path string) bool {
	a, b := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !(strings.HasPrefix(a[i], ":") && b[i] == "x") {
			return false
		}
	}
	return true
}

// TestOperatorIsNoAdmin: the ways from an operator to more than an operator.
func TestOperatorIsNoAdmin(t *testing.T) {
	k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) {
		c.Claims.Custom = []issuer.CustomClaim{{Claim: "scope", Attribute: "scope"}, {Claim: "mail", Attribute: "email"}, {Claim: "support", Attribute: "helps"}}
		c.ImpersonateClaim = &token.ClaimRule{Name: "support", OneOf: []string{"true"}}
	}})
	k.MustUser(t, users.New{Username: "root", IsSuperuser: true})
	k.MustUser(t, users.New{Username: "staff", IsStaff: true})
	k.MustUser(t, users.New{Username: "helper", Attributes: map[string]any{"helps": true}})
	k.MustUser(t, users.New{Username: "scoped", Attributes: map[string]any{"scope": "all", "colour": "red"}})
	_, operator := k.MustAdminToken(t, "operator")
	byKey := k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": "key", "value": "a-key-of-before"}).Must(t, 201).Map(t)["id"].(string)
	all := k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": "all"}).Must(t, 201).Map(t)["id"].(string)
	const password = "another long password 123"
	k.Logs.Secret(password)
	newUser := func(more ...any) map[string]any {
		body := map[string]any{"username": "carol", "password": password}
		for i := 0; i < len(more); i += 2 {
			body[more[i].(string)] = more[i+1]
		}
		return body
	}
	type m = map[string]any
	for _, c := range []struct {
		method, path string
		body         m
		status       int
	}{
		{"PATCH", "/users/alice", m{"is_superuser": true}, 403}, {"PATCH", "/users/alice", m{"is_staff": true}, 403}, {"PATCH", "/users/root", m{"is_superuser": false}, 403},
		{"PATCH", "/users/helper", m{"is_superuser": true}, 403}, {"PATCH", "/users/root", m{"password": password}, 403}, {"PATCH", "/users/staff", m{"password": password}, 403},
		{"PATCH", "/users/helper", m{"password": password}, 403}, {"PATCH", "/users/root", m{"email": "me@x.example"}, 403}, {"PATCH", "/users/root", m{"attributes": m{"a": 1}}, 403},
		{"PATCH", "/users/root", m{"is_active": true}, 403}, {"PATCH", "/users/root", m{"must_change_password": true}, 403}, {"DELETE", "/users/root", nil, 403}, {"DELETE", "/users/helper", nil, 403},
		{"PATCH", "/users/alice", m{"attributes": m{"scope": "all"}}, 403}, {"PATCH", "/users/alice", m{"attributes": m{"helps": true}}, 403}, {"PATCH", "/users/alice", m{"email": "boss@x.example"}, 403},
		{"PATCH", "/users/scoped", m{"attributes": m{}}, 403}, {"PATCH", "/users/scoped", m{"attributes": m{"colour": "blue"}}, 403},
		{"POST", "/users", newUser("is_superuser", true), 403}, {"POST", "/users", newUser("is_staff", true), 403}, {"POST", "/users", newUser("id", "1"), 403},
		{"POST", "/users", newUser("attributes", m{"scope": "all"}), 403}, {"POST", "/users", newUser("email", "boss@x.example"), 403},
		{"POST", "/revocations", m{"kind": "key", "value": k.Ring.Ring().Keys[0].ID}, 403}, {"DELETE", "/revocations/" + all, nil, 403}, {"DELETE", "/revocations/" + byKey, nil, 403},
		{"POST", "/admin-tokens", m{"name": "x", "role": "viewer"}, 403}, {"POST", "/user-imports", m{"users": []any{}, "dry_run": true}, 403},
		// What is left is what an operator is for.
		{"POST", "/users", newUser("attributes", m{"colour": "red"}), 201}, {"PATCH", "/users/alice", m{"password": password}, 200}, {"PATCH", "/users/alice", m{"attributes": m{"colour": "red"}}, 200},
		{"PATCH", "/users/root", m{"is_active": false}, 200}, {"PATCH", "/users/staff", m{"end_sessions": true}, 200}, {"DELETE", "/users/carol", nil, 204},
		{"DELETE", "/subjects/3/sessions", nil, 200}, {"POST", "/revocations", m{"kind": "jti", "value": "j"}, 201}, {"POST", "/revocations", m{"kind": "all"}, 201},
	} {
		a := k.Send(t, issuerkit.Request{Method: c.method, Path: "/admin/v1" + c.path, Admin: true, Header: issuerkit.Bearer(operator), Type: "application/json", Body: encoded(t, c.body)})
		if a.Status != c.status {
			t.Errorf("%s %s %v: %d %s", c.method, c.path, c.body, a.Status, a.Body)
		}
		if c.status == 403 {
			wantProblem(t, a, 403, "role")
		}
	}
	// Who may revoke it may undo it; of everything, who has.
	for _, body := range []string{`{"kind":"jti","value":"j2"}`, `{"kind":"subject","value":"9"}`, `{"kind":"session","value":"s"}`, `{"kind":"all"}`, `{"kind":"all","issuer":"https://other.example"}`} {
		own := k.Send(t, issuerkit.Request{Path: "/admin/v1/revocations", Admin: true, Header: issuerkit.Bearer(operator), Body: body}).Must(t, 201).Map(t)
		if own["actor"] != "the operator" {
			t.Errorf("%v", own)
		}
		k.Send(t, issuerkit.Request{Method: "DELETE", Path: "/admin/v1/revocations/" + own["id"].(string), Admin: true, Header: issuerkit.Bearer(operator)}).Must(t, 200)
	}
	if got, err := k.Users.ByName(t.Context(), "root"); err != nil || !got.IsSuperuser || got.IsActive {
		t.Errorf("%+v, %v", got, err)
	}
}
