package statuslist_test

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/issuer/statuslist"
	"tollgate/revocation"
)

// TestBitsAreVerdicts: whatever is revoked and undone, in whatever order, each bit is
// what the store says of the token, and no other bit is set.
func TestBitsAreVerdicts(t *testing.T) {
	onEach(t, func(t *testing.T, d *desk) {
		r := rand.New(rand.NewPCG(1, 2))
		var tokens []issued
		var standing []string
		issue := func() {
			d.kid.Store(new(fmt.Sprint("k", r.IntN(5))))
			tokens = append(tokens, d.mustBind(t, d.token(t, fmt.Sprint("jti ", len(tokens)), fmt.Sprint("user ", r.IntN(8)))))
		}
		for range 40 {
			issue()
		}
		revoked := 0
		for range 8 {
			for range 6 {
				of := tokens[r.IntN(len(tokens))]
				o := revocation.Order{Kind: revocation.KindJTI, Value: of.JTI}
				switch r.IntN(12) {
				case 0:
					o = revocation.Order{Kind: revocation.KindKey, Value: of.kid}
				case 1:
					o = revocation.Order{Kind: revocation.KindAll}
				case 2, 3:
					o = revocation.Order{Kind: revocation.KindSubject, Value: of.Subject}
				case 4, 5, 6:
					o = revocation.Order{Kind: revocation.KindSession, Value: of.SID}
				case 7:
					o.Issuer = "https://other.example"
				}
				standing = append(standing, d.mustRevoke(t, o).ID)
				issue()
			}
			for range 5 {
				at := r.IntN(len(standing))
				if _, err := d.rev.Undo(t.Context(), standing[at]); err != nil {
					t.Fatal(err)
				}
			}
			d.mustCatchUp(t)
			set := map[string]int{}
			for _, i := range tokens {
				born, _ := revocation.Birth(i.SID)
				v := d.rev.Check(t.Context(), &revocation.Token{JTI: i.JTI, SID: i.SID, Subject: i.Subject, KeyID: i.kid, Born: born, Own: true})
				if got := d.invalid(t, i); got != (v.State == revocation.Revoked) || v.State == revocation.Unknown {
					t.Errorf("%s: invalid is %t, the store says %s by %s", i.JTI, got, v.State, v.Kind)
				}
				if v.State == revocation.Revoked {
					set[i.list]++
					revoked++
				}
			}
			for list, want := range set {
				got := 0
				for _, b := range d.bits(t, list) {
					got += bits.OnesCount8(b)
				}
				if got != want {
					t.Errorf("%d bits are set, %d tokens are revoked", got, want)
				}
			}
		}
		if revoked < 20 || revoked > 500 {
			t.Errorf("%d revoked verdicts: nothing was shown", revoked)
		}
	})
}

// TestARevocationBeforeItsToken: a token that is entered after its session was ended
// is invalid from the beginning.
func TestARevocationBeforeItsToken(t *testing.T) {
	_, d := mustMiniDesk(t)
	d.mustBind(t, d.token(t, "first", "u"))
	late := d.token(t, "late", "u")
	d.mustRevoke(t, revocation.Order{Kind: revocation.KindSession, Value: late.SID})
	d.mustCatchUp(t)
	if !d.invalid(t, d.mustBind(t, late)) {
		t.Error("valid")
	}
}

// TestTheKeyThatSigned: not the one that was expected to.
func TestTheKeyThatSigned(t *testing.T) {
	_, d := mustMiniDesk(t)
	d.mustBind(t, d.token(t, "before", "u"))
	d.mustRevoke(t, revocation.Order{Kind: revocation.KindKey, Value: "k1"})
	d.kid.Store(new("k2"))
	next := d.mustBind(t, d.token(t, "after", "u"))
	d.mustCatchUp(t)
	if d.invalid(t, next) {
		t.Error("the successor's token counts as one of the revoked key")
	}
}

// TestSigningFails: then there is no token, and the error is the signer's.
func TestSigningFails(t *testing.T) {
	_, d := mustMiniDesk(t)
	broken := errors.New("no key")
	_, _, err := d.Bind(t.Context(), d.token(t, "a", "u"), func(statuslist.Reference) (string, string, error) { return "", "", broken })
	if !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if _, _, err := d.Bind(t.Context(), statuslist.Token{JTI: "a", SID: "not ours"}, nil); err == nil {
		t.Error("a token without a session has a place")
	}
}

// TestAfterALoss: entries may be among what was lost, so a list of the epoch before
// is not believed, and new tokens go into new lists.
func TestAfterALoss(t *testing.T) {
	m, d := mustMiniDesk(t)
	before := d.mustBind(t, d.token(t, "before", "u"))
	if d.invalid(t, before) {
		t.Fatal("invalid from the beginning")
	}
	m.FlushAll()
	if _, err := d.rev.Now(t.Context()); err != nil { // begins another epoch
		t.Fatal(err)
	}
	testkit.MustAwait(t, "the list is gone", func() bool {
		_, err := d.List(t.Context(), before.list)
		return errors.Is(err, statuslist.ErrNotFound)
	})
	after := d.mustBind(t, d.token(t, "after", "u"))
	if after.list == before.list {
		t.Error("into the list of the epoch before")
	}
	d.mustCatchUp(t)
	if d.invalid(t, after) {
		t.Error("a token of the new epoch is invalid")
	}
	old := d.token(t, "of an old session", "u")
	old.SID = before.SID
	unknown := d.mustBind(t, old)
	d.advance(3 * time.Second)
	if !d.invalid(t, unknown) {
		t.Error("a session that the store cannot vouch for is valid")
	}
}

// TestALostEntry: a list that lacks what was in it is not served, and the next
// token goes into another.
func TestALostEntry(t *testing.T) {
	_, d := mustMiniDesk(t)
	first := d.mustBind(t, d.token(t, "a", "u"))
	d.bits(t, first.list)
	d.client.Del(t.Context(), "t:status:{"+first.list+"}:index", "t:status:{"+first.list+"}:order")
	next := d.mustBind(t, d.token(t, "b", "u"))
	if next.list == first.list {
		t.Error("the torn list is written on")
	}
	d.advance(3 * time.Second)
	if _, err := d.List(t.Context(), first.list); !errors.Is(err, statuslist.ErrUnavailable) {
		t.Errorf("the torn list: %v", err)
	}
	if d.invalid(t, next) {
		t.Error("the other one is not valid")
	}
	again := next.Token
	again.Again = true
	if a := d.mustBind(t, again); a.list != next.list || a.at != next.at {
		t.Errorf("the same token: %+v, then %+v", next, a)
	}
}

// TestNobodyMakesItTwice: however many ask, one document is made, and a name that
// was made up asks nobody.
func TestNobodyMakesItTwice(t *testing.T) {
	_, client := testkit.MustMini(t)
	var asked atomic.Int64 // of the lists; the feed goes on reading
	client.AddHook(testkit.Hook(func(do func() error, cmds ...redis.Cmder) error {
		for _, cmd := range cmds {
			if strings.Contains(fmt.Sprint(cmd.Args()...), "status:{") {
				asked.Add(1)
			}
		}
		return do()
	}))
	d := mustDesk(t, client)
	i := d.mustBind(t, d.token(t, "a", "u"))
	d.signed.Store(0)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := d.List(t.Context(), i.list); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if d.signed.Load() != 1 {
		t.Errorf("%d documents for 50 readers", d.signed.Load())
	}
	before := asked.Load()
	if before == 0 {
		t.Error("not one command was seen")
	}
	tag := i.list[:8]
	for _, name := range []string{"", "x", tag + "-300-1-0", tag + "-300-99999999-0", "ffffffff" + i.list[8:], i.list + "0000"} {
		if _, err := d.List(t.Context(), name); !errors.Is(err, statuslist.ErrNotFound) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if more := asked.Load() - before; more > 0 {
		t.Errorf("names that nobody gave out cost %d commands", more)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.advance(3 * time.Second)
	if _, err := d.List(ctx, i.list); !errors.Is(err, statuslist.ErrUnavailable) {
		t.Errorf("whoever has left: %v", err)
	}
}

func TestNewNeedsAll(t *testing.T) {
	if _, err := statuslist.New(statuslist.Config{Issuer: issuer}); err == nil {
		t.Error("lists of nothing")
	}
}

// BenchmarkList makes a list of 98,000 tokens anew, after each has been read.
func BenchmarkList(b *testing.B) {
	_, d := mustMiniDesk(b)
	b.StopTimer()
	first := d.mustBind(b, d.token(b, "0", "u"))
	for i := 1; i < 98_000; i++ {
		d.mustBind(b, d.token(b, fmt.Sprint(i), fmt.Sprint(i)))
	}
	for i := range 2000 {
		d.mustRevoke(b, revocation.Order{Kind: revocation.KindJTI, Value: fmt.Sprint(i * 7)})
	}
	d.mustCatchUp(b)
	if _, err := d.List(b.Context(), first.list); err != nil {
		b.Fatal(err)
	}
	b.StartTimer()
	for b.Loop() {
		d.advance(3 * time.Second)
		if _, err := d.List(b.Context(), first.list); err != nil {
			b.Fatal(err)
		}
	}
}
