package issuer_test

import (
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/store"
)

// TestEveryRowIsBoundedWhenRedisHangs: a Redis that hangs costs a request the budget
// of store.OpBudget, however many commands it has; argon2 is not part of it. The bound
// is far above what is promised, for the machine of a test may be slow, and far below
// the minute that one command would wait without.
func TestEveryRowIsBoundedWhenRedisHangs(t *testing.T) {
	k := opened(t, issuerkit.Options{RedisTime: store.OpBudget})
	pair := k.MustLoginInTime(t, "alice")
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
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%s took %s", row.path, took)
		}
		if a.Status != 503 || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", row.path, a.Status, a.Body)
		}
		k.Proxy.Heal()
	}
	after := k.MustLoginInTime(t, "alice")
	testkit.MustAwait(t, "good again", func() bool { return k.Verify(t, after.Access) == 200 })
}
