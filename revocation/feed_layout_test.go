package revocation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// asEarlier writes the feed anew as earlier versions wrote it, a field for each word, at
// one moment: whoever follows it finds all where it was.
func (k kit) asEarlier(t *testing.T, s *revocation.Redis) {
	t.Helper()
	messages, err := k.client.XRange(t.Context(), s.FeedKey(), "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.client.TxPipelined(t.Context(), func(p redis.Pipeliner) error {
		p.Del(t.Context(), s.FeedKey())
		for _, m := range messages {
			w := words(m)
			if w["prev"] == "-" {
				w["prev"] = ""
			}
			p.XAdd(t.Context(), &redis.XAddArgs{Stream: s.FeedKey(), ID: m.ID, Values: w})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFeedOfAnEarlierVersion: a feed outlives the program that wrote it. What an earlier
// version wrote is read and listed, chained to, found for a report, and known to a store
// that has lost its epoch.
func TestFeedOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	onBothLive(t, func(t *testing.T, k kit) {
		s, census := mustOpen(t, k.client, revocationtest.Settings()), mustCensus(t, k.client)
		revs := []revocation.Revocation{
			mustRevoke(t, s, revocation.KindJTI, "j"), mustRevoke(t, s, revocation.KindSubject, "u"),
			mustUndo(t, s, mustRevoke(t, s, revocation.KindSession, "s").ID),
		}
		k.asEarlier(t, s)
		e := mustEdge(t, k.client, "host")
		first := k.client.XRange(t.Context(), s.FeedKey(), "-", "+").Val()[0]
		report := revocation.EdgeReport{N: 1, Epoch: revs[0].Epoch, Nonce: first.Values["nonce"].(string)}
		_, _ = fmt.Sscanf(first.ID, "%d-0", &report.ID)
		e.says.Store(&report)
		e.mustRegister(t)
		wantCount(t, census, 1, revs[0].Epoch, 1, 1)

		f := follow(t, k.client)
		f.awaitTold(revs...)
		f.awaitLevel()
		later := mustRevoke(t, s, revocation.KindJTI, "later") // written by this version
		f.awaitTold(later)
		p, err := s.List(t.Context(), revocation.Filter{})
		if err != nil || len(p.Items) != 3 || p.Items[0].ID != later.ID {
			t.Fatalf("listed %+v, %v", p.Items, err)
		}
		f.wantGaps()

		k.client.XDel(t.Context(), s.FeedKey(), k.client.XRevRange(t.Context(), s.FeedKey(), "+", "-").Val()[0].ID)
		k.client.Del(t.Context(), s.EpochKey())
		if r := mustRevoke(t, s, revocation.KindJTI, "in a new epoch"); r.Seq != 5 {
			t.Errorf("sequence %d after one of 4", r.Seq)
		}
	})
}

// TestTrimOfAnEarlierVersion: what still holds of such a feed is written again as this
// version writes it, until all is.
func TestTrimOfAnEarlierVersion(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocation.Settings{AccessLife: time.Second, Leeway: time.Millisecond, Own: "i"})
		var want []revocation.Revocation
		for i := range 10 {
			want = append(want, mustRevoke(t, s, revocation.KindSubject, fmt.Sprint("u", i)))
		}
		last := mustUndo(t, s, mustRevoke(t, s, revocation.KindSession, "s").ID)
		k.asEarlier(t, s)
		k.advance(1100 * time.Millisecond)
		for i := range 10 {
			want = append(want, mustRevoke(t, s, revocation.KindSession, fmt.Sprint("s", i)))
		}
		feed := k.feed(t, s) // fails when one is left
		k.wantChain(t, s, feed)
		f := follow(t, k.client)
		f.awaitTold(append(want, last)...)
		f.wantGaps()
	})
}
