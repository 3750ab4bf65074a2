package revocation_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

func TestFeedTellsEveryChange(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocationtest.Settings())
		jti := mustRevoke(t, s, revocation.KindJTI, "j")
		key := mustRevoke(t, s, revocation.KindKey, "k")
		mustRevoke(t, s, revocation.KindKey, "k") // again: nothing to tell
		first := mustRevoke(t, s, revocation.KindSubject, "u")
		second := mustRevoke(t, s, revocation.KindSubject, "u")
		undone := mustUndo(t, s, second.ID)
		mustUndo(t, s, second.ID) // again: nothing to tell
		gone := mustUndo(t, s, jti.ID)

		feed := k.feed(t, s)
		k.wantChain(t, s, feed)
		end := func(r revocation.Revocation) int64 {
			if r.ExpiresAt.IsZero() {
				return 0
			}
			return int64(math.Ceil(float64(r.ExpiresAt.Add(10*time.Second).UnixMilli()) / 1000))
		}
		want := []struct {
			r       revocation.Revocation
			cut, at int64
		}{
			{jti, jti.RevokedAt.UnixMicro(), jti.RevokedAt.UnixMicro()},
			{key, key.RevokedAt.UnixMicro(), key.RevokedAt.UnixMicro()},
			{first, first.RevokedAt.UnixMicro(), first.RevokedAt.UnixMicro()},
			{second, second.RevokedAt.UnixMicro(), second.RevokedAt.UnixMicro()},
			{undone, first.RevokedAt.UnixMicro(), undone.UndoneAt.UnixMicro()},
			{gone, 0, gone.UndoneAt.UnixMicro()},
		}
		if len(feed) != len(want) {
			t.Fatalf("%d records, want %d", len(feed), len(want))
		}
		for i, w := range want {
			rec, digest := feed[i], strings.SplitN(w.r.ID, "-", 2)[0]
			if rec.n != int64(w.r.Seq) || rec.d != digest || rec.k != string(w.r.Kind) || rec.cut != w.cut || rec.at != w.at || rec.id != fmt.Sprint(w.at)+"-0" {
				t.Errorf("record %+v, want of %+v cut %d at %d", rec, w.r, w.cut, w.at)
			}
			// Between the statement and the key's end lie two roundings to ms.
			if d := rec.exp - end(w.r); d < 0 || d > 1 {
				t.Errorf("record %+v ends %d s off", rec, d)
			}
		}
	})
}

func TestFeedTellsALaterEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocationtest.Settings())
		end := time.Now().Add(time.Hour).Truncate(time.Second)
		for i, d := range []time.Duration{0, -time.Minute, 0, time.Minute} {
			r, err := s.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: "j", ExpiresAt: end.Add(d)})
			if err != nil {
				t.Fatal(err)
			}
			feed := k.feed(t, s)
			if want := 1 + i/3; len(feed) != want || r.Seq != uint64(want) {
				t.Fatalf("order %d: %d records, seq %d, want %d", i, len(feed), r.Seq, want)
			}
		}
		feed := k.feed(t, s)
		k.wantChain(t, s, feed)
		if feed[1].exp-feed[0].exp != 60 {
			t.Errorf("ends %d and %d", feed[0].exp, feed[1].exp)
		}
	})
}

// TestFeedTrim: what has ended falls out of the feed, what lives longer is written
// again, and at every moment reading the feed from its beginning yields all that
// is in force.
func TestFeedTrim(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, k kit) {
		const rounds = 40
		settings := revocation.Settings{AccessLife: 20 * time.Millisecond, SessionLife: time.Hour, Own: "i"}
		s := mustOpen(t, k.client, settings)
		other := mustOpen(t, k.client, settings) // a second process, with its own idea of what is due
		var long []revocation.Revocation
		for i := range 50 { // lives an hour; between them what lives a second
			long = append(long, mustRevoke(t, s, revocation.KindSession, fmt.Sprint("s", i)))
			mustRevoke(t, other, revocation.KindJTI, fmt.Sprint("j", i))
		}
		for range 5 { // told again: the older records are dead weight
			mustRevoke(t, s, revocation.KindSubject, "u")
		}
		subject := mustRevoke(t, s, revocation.KindSubject, "u")
		key := mustRevoke(t, s, revocation.KindKey, "k")
		undone := mustUndo(t, other, mustRevoke(t, s, revocation.KindSession, "undone").ID)
		length := len(k.feed(t, s))
		k.advance(2100 * time.Millisecond) // every jti is over, every record old

		before := map[string]record{}
		for _, rec := range k.feed(t, s) {
			before[rec.d] = rec
		}
		for round := range rounds {
			n := len(k.feed(t, s))
			mustRevoke(t, []revocation.Store{s, other}[round%2], revocation.KindJTI, fmt.Sprint("later", round))
			feed := k.feed(t, s)
			k.wantChain(t, s, feed)
			if len(feed) < n+1-32 {
				t.Fatalf("round %d: one call took %d records off", round, n+1-len(feed))
			}
			wantTold(t, k, s, feed, append(long, subject, key, undone))
		}
		feed := k.feed(t, s)
		if most := len(long) + 3 + rounds; len(feed) > most {
			t.Errorf("%d records are left of %d, at most %d have something to say", len(feed), length+rounds, most)
		}
		carried := 0
		for _, rec := range feed {
			was, old := before[rec.d]
			if old && was.n != rec.n {
				carried++
				if was.k != rec.k || was.cut != rec.cut || was.exp != rec.exp || was.at != rec.at {
					t.Fatalf("carried as %+v, was %+v", rec, was)
				}
			}
		}
		if carried < len(long) {
			t.Errorf("%d records were carried", carried)
		}
		p, err := s.List(t.Context(), revocation.Filter{Kind: revocation.KindSession, Limit: 1000})
		if err != nil || len(p.Items) != len(long) {
			t.Errorf("%d sessions are listed: %v", len(p.Items), err)
		}
	})
}

// wantTold checks that for every revocation the last record of its entry in the
// feed is the one that the entry names, and says what is in force.
func wantTold(t *testing.T, k kit, s *revocation.Redis, feed []record, revs []revocation.Revocation) {
	t.Helper()
	last := map[string]record{}
	for _, rec := range feed {
		last[rec.d] = rec
	}
	for _, r := range revs {
		rec, ok := last[strings.SplitN(r.ID, "-", 2)[0]]
		if !ok {
			t.Fatalf("%s %s fell out of the feed", r.Kind, r.Value)
		}
		cut := r.RevokedAt.UnixMicro()
		if !r.InForce() {
			cut = 0
		}
		if rec.cut != cut {
			t.Fatalf("%s %s: record %+v, cut %d", r.Kind, r.Value, rec, cut)
		}
		got, err := s.Get(t.Context(), r.ID)
		if err != nil || got.Seq != uint64(rec.n) {
			t.Fatalf("%s %s: record %d, entry %d, %v", r.Kind, r.Value, rec.n, got.Seq, err)
		}
	}
}

// TestFeedKeepsWhatEntriesLost: an entry that was evicted is still told of.
func TestFeedKeepsWhatEntriesLost(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocation.Settings{AccessLife: 20 * time.Millisecond, SessionLife: time.Hour, Own: "i"})
		mustRevoke(t, s, revocation.KindSession, "s")
		digest := revocation.DigestOf("i", revocation.KindSession, "s")
		was := k.feed(t, s)[0]
		k.advance(50 * time.Millisecond)
		if err := k.client.Del(t.Context(), s.EntryKey(digest)).Err(); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			mustRevoke(t, s, revocation.KindKey, fmt.Sprint("k", i))
		}
		feed := k.feed(t, s)
		k.wantChain(t, s, feed)
		for _, rec := range feed {
			if rec.d == digest.String() {
				if rec.n == was.n || rec.cut != was.cut || rec.exp != was.exp || rec.at != was.at {
					t.Errorf("told as %+v, was %+v", rec, was)
				}
				return
			}
		}
		t.Error("the feed forgot it")
	})
}
