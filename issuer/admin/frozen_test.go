package admin_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/admin"
	"tollgate/issuer/store"
	"tollgate/keys/keystore"
	"tollgate/keys/ring"
	"tollgate/revocation"
)

// hangingStore is a key store that can stop answering.
type hangingStore struct {
	*keystore.Memory
	hangs atomic.Bool
}

func (s *hangingStore) Load(ctx context.Context) (ring.Ring, error) {
	if s.hangs.Load() {
		<-ctx.Done()
		return ring.Ring{}, ctx.Err()
	}
	return s.Memory.Load(ctx)
}

// TestEveryRowIsBoundedWhenRedisHangs: 503, or an answer that needs no Redis, within
// the budget. The bound is far above what is promised, for the machine of a test may be
// slow, and far below the minute that one command would wait without.
func TestEveryRowIsBoundedWhenRedisHangs(t *testing.T) {
	ringStore := &hangingStore{Memory: keystore.NewMemory()}
	k := opened(t, issuerkit.Options{KeyStore: ringStore, RedisTime: store.OpBudget})
	pair := k.MustLoginInTime(t, "alice")
	type question struct {
		method, path string
		body         map[string]any
	}
	var all []question
	for _, r := range admin.Rows() {
		q := question{r.Method, r.Path, nil}
		switch {
		case strings.HasSuffix(r.Path, "/sessions") && r.Method == "GET":
			q.path += "?subject=1"
		case strings.HasSuffix(r.Path, "/users") && r.Method == "POST":
			q.body = map[string]any{"username": "carol", "password": issuerkit.Password}
		case strings.HasSuffix(r.Path, "/tokens"):
			q.body = map[string]any{"subject": "1"}
		case strings.HasSuffix(r.Path, "/explain"):
			q.body = map[string]any{"token": pair.Access}
		case r.Method == "POST" || r.Method == "PATCH":
			q.body = map[string]any{}
		}
		all = append(all, q)
	}
	for kind, value := range map[string]string{
		"jti": issuerkit.Text(t, pair.Refresh, "jti"), "session": issuerkit.Text(t, pair.Access, "sid"), "subject": "1", "key": "k", "all": "", "token": pair.Access,
	} {
		all = append(all, question{"POST", revocations, map[string]any{"kind": kind, "value": value, "wait": "20s"}})
	}
	k.Proxy.Freeze()
	ringStore.hangs.Store(true)
	var refused int
	for _, q := range all {
		var body any
		if q.body != nil {
			body = q.body
		}
		begun := time.Now()
		a := k.Control(t, q.method, q.path, body)
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%s %s took %s", q.method, q.path, took)
		}
		if a.Status == 503 {
			refused++
			wantProblem(t, a, 503, "unavailable")
		} else if a.Status >= 500 || strings.Contains(q.path, "revocations") && q.body["kind"] != nil {
			t.Errorf("%s %s %v: %d %s", q.method, q.path, q.body["kind"], a.Status, a.Body)
		}
	}
	if refused < 17 {
		t.Errorf("only %d of %d rows asked Redis", refused, len(all))
	}
	k.Proxy.Heal()
	ringStore.hangs.Store(false)
	after := k.MustLoginInTime(t, "bob")
	testkit.MustAwait(t, "good again", func() bool { return k.Verify(t, after.Access) == 200 })
}

// TestFrozenRevocationSaysWhatIsKnown, by kind.
func TestFrozenRevocationSaysWhatIsKnown(t *testing.T) {
	k := opened(t, issuerkit.Options{NoAudit: true, RedisTime: store.OpBudget})
	k.Proxy.Freeze()
	for kind, known := range map[string]string{
		"subject": "Whether the revocation stands is not known", "session": "Whether the session is ending is not known",
		"jti": "Whether the session is ending is not known",
		// The ring of this kit does not hang with Redis.
		"key": "The key signs nothing more",
	} {
		var d struct{ Detail string }
		a := k.Control(t, "POST", revocations, map[string]any{"kind": kind, "value": revocation.NewSessionID(k.Now().UnixMicro())}).Must(t, 503)
		if err := json.Unmarshal([]byte(a.Body), &d); err != nil || !strings.Contains(d.Detail, known) || !strings.Contains(d.Detail, "Asking again is harmless") {
			t.Errorf("%s: %s (%v)", kind, a.Body, err)
		}
	}
}
