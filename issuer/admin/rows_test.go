package admin

import (
	"reflect"
	"strings"
	"testing"
)

// TestRows: no field of a row has a usable zero value, so none may have it.
func TestRows(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range (&Admin{}).rows() {
		v := reflect.ValueOf(r)
		for n := range v.NumField() {
			if v.Field(n).IsZero() {
				t.Errorf("%s %s has no %s", r.method, r.path, v.Type().Field(n).Name)
			}
		}
		if seen[r.method+r.path] || !strings.HasPrefix(r.path, "/admin/v1/") || strings.HasSuffix(r.path, "/") {
			t.Errorf("%s %s", r.method, r.path)
		}
		seen[r.method+r.path] = true
		if r.bodyLimit > 1<<20 || r.timeout > longestWait+usualWait {
			t.Errorf("%s %s: no real limit: %d bytes, %s", r.method, r.path, r.bodyLimit, r.timeout)
		}
	}
}
