package revocation_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// TestEdgeFields: what an edge reports is what the register shows.
func TestEdgeFields(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocationtest.Settings())
		for _, jti := range []string{"a", "b", "c"} {
			mustRevoke(t, s, revocation.KindJTI, jti)
		}
		epoch, err := s.Epoch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c, e := mustCensus(t, k.client), mustEdge(t, k.client, "host")
		if got := register(t, c); len(got) != 0 {
			t.Fatalf("an empty register shows %v", got)
		}
		before, err := s.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		e.mustRegister(t)
		loading := register(t, c)["host"]
		since := loading.Since
		if loading.N != 0 || loading.Epoch != "" || loading.Lag != 3 || !loading.Live || since.UnixMicro() < before || !loading.Heard.Equal(since) {
			t.Errorf("while loading %+v", loading)
		}
		e.say(2, epoch.ID)
		e.mustRegister(t)
		got := register(t, c)["host"]
		want := revocation.Edge{
			Name: "host", Version: "v1", Since: since, N: 2, Epoch: epoch.ID, Stale: 120 * time.Millisecond, Entries: 7, KeySet: "keys",
			Routes: "routes", ClosesAfter: 2 * time.Second, Heard: got.Heard, Live: true, Lag: 1,
		}
		if got != want || got.Heard.Before(since) {
			t.Errorf("\n%+v, want\n%+v", got, want)
		}
		e.say(9, "another")
		e.mustRegister(t)
		if got := register(t, c)["host"]; got.Lag != 3 {
			t.Errorf("of another epoch: %+v", got)
		}
		if err := e.Deregister(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := register(t, c); len(got) != 0 || e.Name() != "" {
			t.Errorf("after it left: %v", got)
		}
	})
}

// TestEdgeCounts: who has applied what, by n and epoch.
func TestEdgeCounts(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		mustOpen(t, k.client, revocationtest.Settings())
		c := mustCensus(t, k.client)
		wantCount(t, c, 5, "e", 0, 0)
		for name, says := range map[string]revocation.EdgeReport{
			"loading": {}, "behind": {N: 4, Epoch: "e"}, "level": {N: 5, Epoch: "e"}, "ahead": {N: 6, Epoch: "e"},
			"elsewhere": {N: 60, Epoch: "other"}, "unfinished": {N: 60},
		} {
			e := mustEdge(t, k.client, name)
			e.says.Store(&says)
			e.mustRegister(t)
		}
		wantCount(t, c, 5, "e", 6, 2)
		wantCount(t, c, 60, "other", 6, 1)
		wantCount(t, c, 1, "", 6, 0)
		wantCount(t, mustCensus(t, k.client), 4, "e", 6, 3)
	})
}

// TestEdgeReportsARecordThatIsNotThere: a server that came back with less, under the
// same epoch, gives the sequence of what it lost to other records. An edge that has not
// noticed is not taken for one that has applied these.
func TestEdgeReportsARecordThatIsNotThere(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		s, c := mustOpen(t, k.client, revocationtest.Settings()), mustCensus(t, k.client)
		e := mustEdge(t, k.client, "host")
		mustRevoke(t, s, revocation.KindJTI, "kept")
		ids := feedIDs(t, k.client)
		before := k.client.HGetAll(t.Context(), "tg:{rev}:epoch").Val()
		mustRevoke(t, s, revocation.KindJTI, "lost")
		lost := mustRevoke(t, s, revocation.KindJTI, "lost as well")
		e.say(lost.Seq, lost.Epoch)
		e.mustRegister(t)
		wantCount(t, c, lost.Seq, lost.Epoch, 1, 1)

		for _, id := range feedIDs(t, k.client)[len(ids):] {
			k.client.XDel(t.Context(), "tg:{rev}:feed", id)
		}
		k.client.HSet(t.Context(), "tg:{rev}:epoch", before)
		e.mustRegister(t) // ahead of the store
		wantCount(t, c, 1, lost.Epoch, 1, 0)
		for i := range 3 { // at its end, and then before it
			r := mustRevoke(t, s, revocation.KindJTI, fmt.Sprint("new", i))
			e.mustRegister(t)
			wantCount(t, c, min(r.Seq, lost.Seq), lost.Epoch, 1, 0)
		}
		for _, n := range []uint64{lost.Seq, lost.Seq + 1, 1} { // what the store has counts
			e.say(n, lost.Epoch)
			e.mustRegister(t)
			wantCount(t, c, n, lost.Epoch, 1, 1)
		}
	})
}

// feedIDs are the stream ids of all records.
func feedIDs(t *testing.T, client redis.UniversalClient) (ids []string) {
	t.Helper()
	for _, m := range client.XRange(t.Context(), "tg:{rev}:feed", "-", "+").Val() {
		ids = append(ids, m.ID)
	}
	return ids
}

// TestEdgeSilence: an edge is live until it was silent for closes_after and the
// grace by store time, is shown for a while, and then is gone; others are not.
func TestEdgeSilence(t *testing.T) {
	m, client := mustMiniAt(t)
	s := mustOpen(t, client, revocationtest.Settings())
	c := mustCensus(t, client)
	quick, slow := mustEdge(t, client, "quick"), mustEdge(t, client, "slow")
	slow.closes.Store(int64(time.Hour))
	quick.mustRegister(t)
	slow.mustRegister(t)
	m(2*time.Second + revocation.EdgeGrace - time.Millisecond)
	wantCount(t, c, 1, "e", 2, 0)
	m(2 * time.Millisecond)
	wantCount(t, c, 1, "e", 1, 0)
	if got := register(t, c); got["quick"].Live || !got["slow"].Live || got["quick"].ClosesAfter != 2*time.Second {
		t.Errorf("%+v", got)
	}
	quick.mustRegister(t) // back under its own name, as old as before
	wantCount(t, c, 1, "e", 2, 0)
	if quick.Name() != "quick" {
		t.Errorf("back as %q", quick.Name())
	}
	m(11 * time.Minute)
	slow.mustRegister(t) // takes out who has long been silent
	if got := register(t, c); len(got) != 1 || !got["slow"].Live {
		t.Errorf("%+v", got)
	}
	// No clock of an edge counts, and Redis's own may fall back.
	m(-time.Minute)
	wantCount(t, c, 1, "e", 1, 0)
	if _, err := s.Now(t.Context()); err != nil {
		t.Fatal(err)
	}
	m(26 * time.Hour)
	// The register itself has no end, or a Redis that evicts would take it.
	if keys, err := client.Keys(t.Context(), "tg:{rev}:edge:*").Result(); err != nil || len(keys) != 0 {
		t.Errorf("left for ever: %v, %v", keys, err)
	}
	if left := client.PTTL(t.Context(), "tg:{rev}:edges").Val(); left >= 0 {
		t.Errorf("the register ends in %s", left)
	}
}

// TestEdgeNames: of two processes with one name the second gets another, and a
// process that comes back under a free name has applied nothing of what the one
// before had.
func TestEdgeNames(t *testing.T) {
	m, client := mustMiniAt(t)
	mustOpen(t, client, revocationtest.Settings())
	c := mustCensus(t, client)
	first, second := mustEdge(t, client, "host"), mustEdge(t, client, "host")
	first.say(9, "e")
	first.mustRegister(t)
	second.mustRegister(t)
	if first.Name() != "host" || !strings.HasPrefix(second.Name(), "host-") {
		t.Fatalf("%q and %q", first.Name(), second.Name())
	}
	wantCount(t, c, 9, "e", 2, 1)
	name := second.Name()
	second.mustRegister(t)
	if second.Name() != name {
		t.Errorf("%q became %q", name, second.Name())
	}

	// One that has left and one that has died, each followed by a new process.
	if err := first.Deregister(t.Context()); err != nil {
		t.Fatal(err)
	}
	third := mustEdge(t, client, "host")
	third.mustRegister(t)
	wantCount(t, c, 9, "e", 2, 0)
	third.say(9, "e")
	third.mustRegister(t)
	wantCount(t, c, 9, "e", 2, 1)
	m(time.Minute)
	fourth := mustEdge(t, client, "host")
	fourth.mustRegister(t)
	if fourth.Name() != "host" {
		t.Errorf("a dead one's name is not free: %q", fourth.Name())
	}
	wantCount(t, c, 9, "e", 1, 0)

	// The one that was taken for dead was only stopped: it finds another name, and
	// neither its report nor its leaving touches who has the name now.
	third.mustRegister(t)
	if third.Name() == "host" {
		t.Fatal("two processes with one name")
	}
	wantCount(t, c, 9, "e", 2, 1)
	if err := third.Deregister(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantCount(t, c, 9, "e", 1, 0)
	if _, ok := register(t, c)["host"]; !ok {
		t.Error("the name's holder was taken out")
	}
}

// TestEdgeNamesAreSafe: whatever a host is called.
func TestEdgeNamesAreSafe(t *testing.T) {
	_, client := mustMiniAt(t)
	mustOpen(t, client, revocationtest.Settings())
	for in, want := range map[string]string{"a{b}:c d\n": "a-b--c-d-", strings.Repeat("x", 500): strings.Repeat("x", 128), "ü.example_1": "-.example_1"} {
		e := mustEdge(t, client, in)
		e.mustRegister(t)
		if e.Name() != want {
			t.Errorf("%q is called %q", in, e.Name())
		}
	}
	for name, cfg := range map[string]revocation.RegistrarConfig{"no client": {Name: "x"}, "no name": {Client: client}, "braces": {Client: client, Name: "x", Prefix: "{"}} {
		if _, err := revocation.NewRegistrar(cfg); !errors.Is(err, revocation.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := revocation.NewCensus(nil, ""); !errors.Is(err, revocation.ErrInvalid) {
		t.Errorf("no client: %v", err)
	}
	if _, err := revocation.NewCensus(client, "{"); !errors.Is(err, revocation.ErrInvalid) {
		t.Errorf("braces: %v", err)
	}
}

// TestEdgeAfterALoss: a register that was lost knows an edge again by its next
// report, under its name and with the age that it had; a report begins no epoch.
func TestEdgeAfterALoss(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		mustOpen(t, k.client, revocationtest.Settings())
		c, e := mustCensus(t, k.client), mustEdge(t, k.client, "host")
		e.mustRegister(t)
		since := register(t, c)["host"].Since
		if err := k.client.FlushAll(t.Context()).Err(); err != nil { //nolint:forbidigo // the test's own server: the loss is what is tested
			t.Fatal(err)
		}
		wantCount(t, c, 1, "e", 0, 0)
		e.mustRegister(t)
		wantCount(t, c, 1, "e", 1, 0)
		if got := register(t, c)["host"]; !got.Since.Equal(since) {
			t.Errorf("since %s, was %s", got.Since, since)
		}
		if n, err := k.client.Exists(t.Context(), "tg:{rev}:epoch").Result(); err != nil || n != 0 {
			t.Errorf("a report began an epoch (%v)", err)
		}
	})
}

// TestEdgeUnavailable: no answer is an error, and a foreign one, too.
func TestEdgeUnavailable(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		c, e := mustCensus(t, k.client), mustEdge(t, k.client, "host")
		e.mustRegister(t)
		if err := k.client.HSet(t.Context(), "tg:{rev}:edge:host", "n", "-1").Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Edges(t.Context()); !errors.Is(err, revocation.ErrUnavailable) {
			t.Errorf("edges: %v", err)
		}
		if err := k.client.Set(t.Context(), "tg:{rev}:edges", "x", 0).Err(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Count(t.Context(), 1, "e"); !errors.Is(err, revocation.ErrUnavailable) {
			t.Errorf("count: %v", err)
		}
		if err := e.Register(t.Context()); !errors.Is(err, revocation.ErrUnavailable) {
			t.Errorf("register: %v", err)
		}
		if err := e.Deregister(t.Context()); !errors.Is(err, revocation.ErrUnavailable) {
			t.Errorf("deregister: %v", err)
		}
	})
}
