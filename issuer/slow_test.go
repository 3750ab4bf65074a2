package issuer_test

import (
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/issuerkit"
)

// TestSlowRedis: where Redis is far away, or nobody has time for it, a log-in's commands
// take longer together than a request may wait: 503, when to ask again, and a log
// line that says so. Who gives them more time is served.
func TestSlowRedis(t *testing.T) {
	logIn := map[string]any{"username": "alice", "password": issuerkit.Password}
	for _, one := range []struct {
		time   time.Duration
		status int
	}{{400 * time.Millisecond, 503}, {30 * time.Second, 200}} {
		k := opened(t, issuerkit.Options{RedisTime: one.time})
		k.Proxy.Delay(220 * time.Millisecond) // there, and as much back
		a := k.Post(t, "/api/token/", logIn)
		if a.Status != one.status {
			t.Errorf("%s for Redis: %d %s", one.time, a.Status, a.Body)
		}
		said := strings.Contains(k.Logs.String(), `"msg":"a row could not be served","route":"issuer:token"`) && strings.Contains(k.Logs.String(), `"limit_ms":400,`)
		if asked := a.Header.Get("Retry-After") == "1"; asked != (one.status == 503) || said != asked {
			t.Errorf("%s for Redis: Retry-After %q, the log says so: %v\n%s", one.time, a.Header.Get("Retry-After"), said, k.Logs.String())
		}
		k.Proxy.Heal()
		if one.status == 503 {
			// Asked again once it is fast enough.
			testkit.MustAwait(t, "a log-in", func() bool { return k.Post(t, "/api/token/", logIn).Status == 200 })
		}
	}
}
