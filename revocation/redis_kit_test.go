package revocation_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// kit is a Redis that a test may look into.
type kit struct {
	client  redis.UniversalClient
	advance func(time.Duration)
}

// onBoth runs a test on miniredis and on a real redis-server.
func onBoth(t *testing.T, test func(t *testing.T, k kit)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) {
		m, client := testkit.MustMini(t)
		test(t, kit{client, miniAdvance(m)})
	})
	t.Run("redis-server", func(t *testing.T) {
		test(t, kit{testkit.MustClient(t, testkit.MustStartRedis(t).Addr), time.Sleep})
	})
}

// record is one record of the feed, in full.
type record struct {
	id, nonce, prev, d, k string
	n, cut, exp, at       int64
}

// words are those of a record by their names, none when it is not packed.
func words(m redis.XMessage) map[string]string {
	packed, _ := m.Values["r"].(string)
	out := map[string]string{}
	for i, word := range strings.Fields(packed) {
		if names := strings.Fields("n nonce prev d k cut exp at"); i < len(names) {
			out[names[i]] = word
		} else if name, value, found := strings.Cut(word, "="); found {
			out[name] = value
		}
	}
	return out
}

// feed reads the whole feed.
func (k kit) feed(t *testing.T, r *revocation.Redis) []record {
	t.Helper()
	messages, err := k.client.XRange(t.Context(), r.FeedKey(), "-", "+").Result()
	if err != nil {
		t.Fatalf("read feed: %v", err)
	}
	out := make([]record, len(messages))
	for i, m := range messages {
		w := words(m)
		num := func(name string) int64 {
			n, err := strconv.ParseInt(w[name], 10, 64)
			if err != nil {
				t.Fatalf("record %s: %s is %q", m.ID, name, w[name])
			}
			return n
		}
		out[i] = record{m.ID, w["nonce"], strings.TrimPrefix(w["prev"], "-"), w["d"], w["k"], num("n"), num("cut"), num("exp"), num("at")}
		want := 8
		if w["u"] != "" { // told of an entry with an undo in its life
			want++
		}
		if w["b"] != "" { // a cut-off over others
			want++
		}
		if len(m.Values) != 1 || len(w) != want {
			t.Fatalf("record %s has %d words: %v", m.ID, len(w), m.Values)
		}
	}
	return out
}

func (k kit) hash(t *testing.T, key string) map[string]string {
	t.Helper()
	h, err := k.client.HGetAll(t.Context(), key).Result()
	if err != nil {
		t.Fatalf("read %s: %v", key, err)
	}
	return h
}

// wantChain checks the invariant of every feed: n rises by one, prev is the nonce
// before, ids rise, nothing but the beginning is missing, and the epoch tells of
// the last record and of the last one trimmed.
func (k kit) wantChain(t *testing.T, r *revocation.Redis, feed []record) {
	t.Helper()
	for i, rec := range feed {
		if len(rec.nonce) < 16 {
			t.Fatalf("record %d: nonce %q", rec.n, rec.nonce)
		}
		if i > 0 && (rec.n != feed[i-1].n+1 || rec.prev != feed[i-1].nonce || rec.id <= feed[i-1].id) {
			t.Fatalf("record %+v after %+v", rec, feed[i-1])
		}
	}
	e := k.hash(t, r.EpochKey())
	last := feed[len(feed)-1]
	if e["n"] != strconv.FormatInt(last.n, 10) || e["last"] != last.nonce {
		t.Fatalf("epoch %v, last record %+v", e, last)
	}
	if e["trimmed"] != strconv.FormatInt(feed[0].n-1, 10) {
		t.Fatalf("epoch %v, first record %+v", e, feed[0])
	}
}

func mustRevoke(t *testing.T, s revocation.Store, kind revocation.Kind, value string) revocation.Revocation {
	t.Helper()
	r, err := taken(func() (revocation.Revocation, error) {
		return s.Revoke(t.Context(), revocation.Order{Kind: kind, Value: value})
	})
	if err != nil {
		t.Fatalf("revoke %s %s: %v", kind, value, err)
	}
	return r
}

// taken asks again as long as the store has lost something that nobody has read, as a client
// does; 10 s at most.
func taken(do func() (revocation.Revocation, error)) (revocation.Revocation, error) {
	for end := time.Now().Add(10 * time.Second); ; {
		r, err := do()
		if !errors.Is(err, revocation.ErrShut) || time.Now().After(end) {
			return r, err
		}
	}
}

func mustUndo(t *testing.T, s revocation.Store, id string) revocation.Revocation {
	t.Helper()
	r, err := taken(func() (revocation.Revocation, error) { return s.Undo(t.Context(), id) })
	if err != nil {
		t.Fatalf("undo %s: %v", id, err)
	}
	return r
}
