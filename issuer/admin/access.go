package admin

import (
	"fmt"
	"net/http"
)

// Role is what an admin token may do. Each may do what those before it may.
type Role string

// The roles.
const (
	RoleViewer   Role = "viewer"   // looks
	RoleOperator Role = "operator" // ends what people and tokens do, and edits ordinary users
	RoleAdmin    Role = "admin"    // everything
)

// rank orders the roles; 0: none.
func (r Role) rank() int {
	switch r {
	case RoleViewer:
		return 1
	case RoleOperator:
		return 2
	case RoleAdmin:
		return 3
	}
	return 0
}

// may reports whether the role is least or more. What is no role may nothing.
func (r Role) may(least Role) bool { return r.rank() >= least.rank() && r.rank() > 0 }

// reads is the action of a row that changes nothing and hands out no secret: it leaves
// no line in the audit log.
const reads = "read"

// access says of a row who may call it, and what the audit log calls it. No field but
// kind has a usable zero value.
type access struct {
	method, path string // path without /admin/v1
	least        Role
	action       string
	kind         string // what the action is about; empty: the row's body says, or nothing
}

// accesses is the one table of what a role may. What more a role may not do with a row
// that it may call stands in limits.go.
func accesses() []access {
	const get, post, patch, del = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	return []access{
		{get, "/openapi.yaml", RoleViewer, reads, ""},
		{get, "/whoami", RoleViewer, reads, ""},
		{get, "/revocations", RoleViewer, reads, ""},
		{get, "/revocations/:id", RoleViewer, reads, ""},
		{get, "/sessions", RoleViewer, reads, ""},
		{get, "/sessions/:sid", RoleViewer, reads, ""},
		{get, "/keys", RoleViewer, reads, ""},
		{get, "/edges", RoleViewer, reads, ""},
		{get, "/status", RoleViewer, reads, ""},
		{get, "/settings", RoleViewer, reads, ""},
		{get, "/upstreams", RoleViewer, reads, ""},
		{get, "/routes", RoleViewer, reads, ""},
		{post, "/routes/check", RoleViewer, reads, ""},
		{get, "/users", RoleViewer, reads, ""},
		{get, "/users/:name", RoleViewer, reads, ""},
		{get, "/clients", RoleViewer, reads, ""},
		{get, "/admin-tokens", RoleViewer, reads, ""},
		{get, "/audit", RoleViewer, reads, ""},

		{post, "/tokens/explain", RoleOperator, reads, ""},
		{post, "/revocations", RoleOperator, "revocation.add", ""},
		{del, "/revocations/:id", RoleOperator, "revocation.undo", "revocation"},
		{del, "/sessions/:sid", RoleOperator, "session.end", "session"},
		{del, "/subjects/:sub/sessions", RoleOperator, "session.end_all", "subject"},
		{post, "/users", RoleOperator, "user.add", "user"},
		{patch, "/users/:name", RoleOperator, "user.change", "user"},
		{del, "/users/:name", RoleOperator, "user.remove", "user"},

		{post, "/recover", RoleAdmin, "recover", "store"},
		{post, "/recover/check", RoleAdmin, reads, ""},
		{post, "/keys/rotate", RoleAdmin, "key.rotate", "ring"},
		{post, "/keys/:kid/retire", RoleAdmin, "key.retire", "key"},
		{post, "/keys/:kid/revoke", RoleAdmin, "key.revoke", "key"},
		{post, "/routes/reload", RoleAdmin, "routes.reload", "routes"},
		{post, "/tokens", RoleAdmin, "token.issue", "subject"},
		{post, "/user-imports", RoleAdmin, "user.import", "users"},
		{post, "/clients", RoleAdmin, "client.add", "client"},
		{patch, "/clients/:id", RoleAdmin, "client.change", "client"},
		{del, "/clients/:id", RoleAdmin, "client.remove", "client"},
		{post, "/admin-tokens", RoleAdmin, "admin_token.create", "admin_token"},
		{del, "/admin-tokens/:id", RoleAdmin, "admin_token.revoke", "admin_token"},
	}
}

// accessByRow joins the tables. A row that nobody has thought about is a fault: the
// process does not start with it.
func accessByRow(rows []row) (map[string]access, error) {
	all := map[string]access{}
	for _, a := range accesses() {
		all[a.method+" /admin/v1"+a.path] = a
	}
	for _, r := range rows {
		if _, known := all[r.method+" "+r.path]; !known {
			return nil, fmt.Errorf("admin: no role is named for %s %s", r.method, r.path)
		}
	}
	return all, nil
}
