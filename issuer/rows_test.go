package issuer

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tollgate/internal/problem"
	"tollgate/issuer/statuslist"
	"tollgate/issuer/users"
)

// TestRows: no field of a row has a usable zero value, so none may have it.
func TestRows(t *testing.T) {
	i := &Issuer{Config: Config{Prefix: "/api", Compat: problem.Profiles(), Status: &statuslist.Lists{}, LoginField: "username", ChangePassword: func(context.Context, string, string, string) (users.User, error) { return users.User{}, nil }}}
	names, paths := map[string]bool{}, map[string]bool{}
	for _, r := range i.mounted() {
		v := reflect.ValueOf(r)
		for n := range v.NumField() {
			if v.Field(n).IsZero() {
				t.Errorf("row %q has no %s", r.name, v.Type().Field(n).Name)
			}
		}
		if !strings.HasPrefix(r.name, "issuer:") || names[r.name] {
			t.Errorf("row %q: the name is a metric label of its own", r.name)
		}
		names[r.name] = true
		if !strings.HasPrefix(r.path, "/") || strings.HasSuffix(r.path, "/") || strings.ContainsAny(strings.TrimSuffix(strings.TrimSuffix(r.path, "/:sid"), "/:list"), ":*") {
			t.Errorf("row %q: path %q", r.name, r.path)
		}
		for _, path := range r.paths() {
			if paths[path] {
				t.Errorf("path %s stands twice", path)
			}
			paths[path] = true
		}
		if r.slash != bothSlashes && r.slash != exactPath || !slices.Contains([]authenticator{anonymous, bearer, bearerOrCookie, bearerOrRefresh, bearerOrLogin, published}, r.auth) {
			t.Errorf("row %q: %q, %q", r.name, r.slash, r.auth)
		}
		if r.bodyLimit > 1<<20 || r.timeout > 30e9 {
			t.Errorf("row %q: no real limit: %d bytes, %s", r.name, r.bodyLimit, r.timeout)
		}
	}
	if len(names) != 26 {
		t.Errorf("%d rows", len(names))
	}
	i.Status = nil
	for _, r := range i.mounted() {
		if delete(names, r.name); r.handle == nil {
			t.Errorf("row %q does nothing", r.name)
		}
	}
	if len(names) != 2 || !names["issuer:status"] || !names["issuer:revocations"] {
		t.Errorf("without status lists these rows are missing: %v", names)
	}
}
