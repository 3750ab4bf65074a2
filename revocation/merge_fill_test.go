package revocation

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
)

// filled is what merging h leaves in a store of its own, which is empty: the entry, its record and its end.
func filled(t *testing.T, client redis.UniversalClient, h held) string {
	t.Helper()
	s, err := NewRedis(client, nonce(4)+":", Settings{Own: "https://issuer.example"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	e, err := s.Epoch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.merge(t.Context(), e.ID, "test", false, []held{h})
	if err != nil || out.changed != 1 {
		t.Fatalf("merge: %+v, %v", out, err)
	}
	messages, err := client.XRange(t.Context(), s.names.feed, "-", "+").Result()
	if err != nil || len(messages) != 1 {
		t.Fatalf("feed: %v, %v", messages, err)
	}
	r, err := toldMessage(messages[0])
	if err != nil {
		t.Fatal(err)
	}
	key := s.names.entry(h.digest)
	return fmt.Sprint(client.HGetAll(t.Context(), key).Val(), r.Record, client.ExpireTime(t.Context(), key).Val())
}

// TestPlainEntriesAreFilled: the short way on which a plain entry comes into a store that
// has nothing of it ends where the long one does, which those with a date take.
func TestPlainEntriesAreFilled(t *testing.T) {
	t.Parallel()
	client := testkit.MustClient(t, testkit.MustStartRedis(t).Addr)
	end := time.Now().Add(time.Hour).Unix()
	for name, h := range map[string]held{
		"a jti":       {digest: Digest{1}, kind: KindJTI, cut: 1, exp: end},
		"a key":       {digest: Digest{2}, kind: KindKey, cut: 1},
		"a cut-off":   {digest: Digest{3}, kind: KindSubject, cut: 1_700_000_000_000_000, exp: end},
		"of all":      {digest: Digest{4}, kind: KindAll, cut: 1_700_000_000_000_001},
		"nearly over": {digest: Digest{5}, kind: KindSession, cut: 1, exp: time.Now().Unix() + 30},
	} {
		t.Run(name, func(t *testing.T) {
			dated := h
			dated.at = h.cut
			if short, long := filled(t, client, h), filled(t, client, dated); short != long {
				t.Errorf("got  %s\nwant %s", short, long)
			}
		})
	}
}
