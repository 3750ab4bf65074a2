package revocation

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
)

// stood is what a store has of an entry: its hash, its end, and its record but for the
// nonces, which differ from store to store.
type stood struct{ hash, end, record string }

// batched is what merging the batch, after a million and a bit of revocations, leaves in
// a store of its own: the entries in the order in which they were told.
func batched(t *testing.T, client redis.UniversalClient, batch []held) map[Digest]stood {
	t.Helper()
	ctx := t.Context()
	s, err := NewRedis(client, nonce(4)+":", Settings{Own: "https://issuer.example"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Open(ctx); err != nil {
		t.Fatal(err)
	}
	e, err := s.Epoch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	const had = 999_997
	client.HSet(ctx, s.names.epoch, "n", had)
	merge := func() uint64 {
		out, err := s.merge(ctx, e.ID, "test", false, batch)
		if err != nil {
			t.Fatal(err)
		}
		return out.changed
	}
	if n := merge(); n != uint64(len(batch)) {
		t.Fatalf("%d of %d were put back", n, len(batch))
	}
	if n := merge(); n != 0 { // again, as when the answer was lost
		t.Errorf("%d were put back a second time", n)
	}
	out, last, prev := map[Digest]stood{}, int64(0), "-"
	messages := client.XRange(ctx, s.names.feed, "-", "+").Val()
	for i, m := range messages {
		r, err := toldMessage(m)
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Fields(m.Values["r"].(string))
		if words[0] != fmt.Sprint(had+1+i) || words[2] != prev || r.id <= last {
			t.Fatalf("record %d of %s is %q, after %s %d", i, m.ID, words, prev, last)
		}
		last, prev = r.id, words[1]
		key := s.names.entry(r.Digest)
		hash := client.HGetAll(ctx, key).Val()
		if hash["n"] != words[0] {
			t.Errorf("entry has n %q, its record %q", hash["n"], words[0])
		}
		delete(hash, "n")
		out[r.Digest] = stood{fmt.Sprint(hash), fmt.Sprint(client.ExpireTime(ctx, key).Val()), strings.Join(words[3:], " ")}
	}
	if epoch := client.HGetAll(ctx, s.names.epoch).Val(); epoch["n"] != fmt.Sprint(had+len(batch)) ||
		epoch["last"] != prev || epoch["clock"] != fmt.Sprint(last) {
		t.Errorf("epoch %v after %s %d", epoch, prev, last)
	}
	return out
}

// TestBatchOfPlainEntries: a batch that is written the short way, with others in between,
// leaves the same bytes as one of which each goes the long way.
func TestBatchOfPlainEntries(t *testing.T) {
	t.Parallel()
	m, mini := testkit.MustMini(t)
	m.SetTime(time.Now()) // it tells an end by its clock, and what is left does not go with that
	for name, store := range map[string]struct {
		client redis.UniversalClient
		many   int
	}{
		"redis":     {testkit.MustClient(t, testkit.MustStartRedis(t).Addr), mergeMost},
		"miniredis": {mini, mergeBatch}, // which is slow
	} {
		t.Run(name, func(t *testing.T) {
			var batch, long []held
			now := time.Now().Unix()
			for i := range store.many {
				h := held{kind: Kinds()[i%len(Kinds())], cut: 1, exp: now + 60 + int64(i*i%5000)}
				binary.BigEndian.PutUint64(h.digest[8:], uint64(i))
				if h.kind.CutOff() {
					h.cut = 1_700_000_000_000_000 + int64(i)
				}
				if h.kind == KindKey {
					h.exp = 0
				}
				if i%7 == 0 {
					h.at = h.cut + 1
				}
				batch = append(batch, h)
				if h.at == 0 {
					h.at = h.cut
				}
				long = append(long, h)
			}
			got, want := batched(t, store.client, batch), batched(t, store.client, long)
			for d, w := range want {
				if got[d] != w {
					t.Fatalf("%s\ngot  %v\nwant %v", d, got[d], w)
				}
			}
		})
	}
}
