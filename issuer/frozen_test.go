package issuer_test

import (
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/store"
)

// TestEveryRowIsBoundedWhenRedisHangs: a Redis that hangs costs a request the budget
// of store.OpBudget, however many commands it has; argon2 is not part of it. The bound
// is six times what is promised: the machine of a test may be slow.
func TestEveryRowIsBoundedWhenRedisHangs(t *testing.T) {
	k := opened(t, issuerkit.Options{RedisTime: store.OpBudget})
	pair := k.MustLogin(t, "alice")
	for _, row := range []struct {
		path   string
		fields map[string]any
		bearer []string
	}{
		{"/api/token/", map[string]any{"username": "alice", "password": issuerkit.Password}, nil},
		{"/api/token/refresh/", map[string]any{"refresh": pair.Refresh}, nil},
		{"/api/token/verify/", map[string]any{"token": pair.Access}, nil},
		{"/api/token/verify/", map[string]any{"token": pair.Refresh}, nil},
		{"/api/token/blacklist/", map[string]any{"refresh": pair.Refresh}, nil},
		{"/api/logout/", nil, []string{pair.Access}},
		{"/api/logout/", map[string]any{"all": "1"}, []string{pair.Access}},
	} {
		k.Proxy.Freeze()
		begun := time.Now()
		a := k.Post(t, row.path, row.fields, row.bearer...)
		if took := time.Since(begun); took > 2500*time.Millisecond {
			t.Errorf("%s took %s", row.path, took)
		}
		if a.Status != 503 || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", row.path, a.Status, a.Body)
		}
		k.Proxy.Heal()
	}
	if status := k.Verify(t, k.MustLogin(t, "alice").Access); status != 200 {
		t.Errorf("afterwards: %d", status)
	}
}
