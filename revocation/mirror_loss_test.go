package revocation_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// known is what a fleet knows before something is lost.
type known struct {
	jti, undone, subject, again *revocation.Token
	clear                       *revocation.Token
	epoch                       string
}

// teach makes statements of each sort, and waits until all have heard.
func (f fleet) teach() known {
	f.t.Helper()
	c := f.all[0]
	k := known{jti: c.born("jti"), undone: c.born("undone"), subject: c.born("subject"), again: c.born("again"), clear: c.born("clear")}
	mustRevoke(f.t, c, revocation.KindJTI, "jti")
	mustUndo(f.t, c, mustRevoke(f.t, c, revocation.KindJTI, "undone").ID)
	mustRevoke(f.t, c, revocation.KindSubject, "u-subject")
	mustUndo(f.t, c, mustRevoke(f.t, c, revocation.KindSession, "s-again").ID)
	mustRevoke(f.t, c, revocation.KindSession, "s-again")
	mustRevoke(f.t, c, revocation.KindKey, "another key")
	f.awaitLevel()
	k.epoch = f.epoch()["id"]
	f.wantKnown("before", k)
	return k
}

// wantKnown checks every mirror, and that what is revoked is never called clear.
func (f fleet) wantKnown(when string, k known) {
	f.t.Helper()
	for i, c := range f.all {
		name := fmt.Sprintf("%s, mirror %d: ", when, i)
		c.wantState(name+"jti", k.jti, revocation.Revoked)
		c.wantState(name+"subject", k.subject, revocation.Revoked)
		c.wantState(name+"revoked again", k.again, revocation.Revoked)
		c.wantState(name+"undone", k.undone, revocation.Clear)
		c.wantState(name+"never revoked", k.clear, revocation.Clear)
	}
}

// wantStore checks the store by look-ups, and by a process that has only the feed.
func (f fleet) wantStore(k known) {
	f.t.Helper()
	fresh := mirror(f.t, f.client)
	fresh.awaitLevel()
	for name, s := range map[string]revocation.Store{"store": f.all[0].store, "fresh process": fresh.Mirror} {
		for what, tt := range map[string]struct {
			tok  *revocation.Token
			want revocation.State
		}{
			"jti": {k.jti, revocation.Revoked}, "subject": {k.subject, revocation.Revoked}, "again": {k.again, revocation.Revoked},
			"undone": {k.undone, revocation.Clear}, "clear": {k.clear, revocation.Clear},
		} {
			if v := s.Check(f.t.Context(), tt.tok); v.State != tt.want {
				f.t.Errorf("%s, %s: %+v, want %s", name, what, v, tt.want)
			}
		}
	}
}

// watch checks all the while that what is revoked is refused; what is returned ends it.
func (f fleet) watch(k known) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			for i, c := range f.all {
				for _, tok := range []*revocation.Token{k.jti, k.subject, k.again} {
					if v := c.Check(ctx, tok); v.State != revocation.Revoked {
						f.t.Errorf("mirror %d meanwhile: %+v", i, v)
						return
					}
				}
			}
			time.Sleep(time.Millisecond)
		}
	}()
	return func() { cancel(); <-done }
}

// TestLossIsMended: whatever is lost of the store behind the backs of three level
// processes, one new epoch begins; what was revoked is refused all the while, what
// was not is not vouched for until all is put back; then all is as before, for
// look-ups and for processes that start then, too.
func TestLossIsMended(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lose func(f fleet, l loser)
		real bool
	}{
		"everything":   {lose: func(_ fleet, l loser) { l.do("flushall") }},
		"the epoch":    {lose: func(f fleet, l loser) { l.do("del", l.s.EpochKey()) }},
		"the feed":     {lose: func(f fleet, l loser) { l.do("del", l.s.FeedKey()) }},
		"the last":     {lose: func(f fleet, l loser) { l.del(6, 99) }},
		"the sequence": {lose: func(f fleet, l loser) { l.do("hset", l.s.EpochKey(), "n", 3) }},
		"everything, and somebody begins anew with a vouch": {lose: func(f fleet, l loser) {
			l.do("flushall")
			if other, err := revocation.NewRedis(l.client, "tg:", revocation.Settings{}); err != nil || other.Open(l.t.Context()) != nil {
				l.t.Error("open", err)
			}
		}},
		"everything, and somebody writes": {lose: func(f fleet, l loser) {
			l.do("flushall")
			mustRevoke(l.t, f.all[1], revocation.KindJTI, "meanwhile")
		}},
		"a second, keeping the epoch": {real: true, lose: func(f fleet, l loser) {
			putBack := l.keep()
			f.all[0].born("x")
			mustRevoke(l.t, f.all[0], revocation.KindJTI, "more")
			f.awaitLevel()
			putBack()
		}},
		"a second, keeping the epoch, and as much is written": {real: true, lose: func(f fleet, l loser) {
			putBack := l.keep()
			mustRevoke(l.t, f.all[0], revocation.KindJTI, "more")
			f.awaitLevel()
			putBack()
			mustRevoke(l.t, f.all[2], revocation.KindJTI, "other")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test := func(t *testing.T, k kit) {
				f := newFleet(t, k)
				what := f.teach()
				stop := f.watch(what)
				tt.lose(f, loser{k, t, f.all[0].store})
				for i, c := range f.all {
					testkit.MustAwait(t, fmt.Sprint("noticed by ", i), func() bool {
						v := c.Check(t.Context(), what.clear)
						return v.State == revocation.Unknown && v.Cause == revocation.CauseLost
					}, c.detail)
				}
				testkit.MustAwait(t, "another epoch", func() bool { return f.epoch()["id"] != what.epoch })
				f.all[0].awaitState("born after the loss", f.all[0].born("new"), revocation.Clear)
				f.awaitMended(what.epoch)
				stop()
				f.wantKnown("mended", what)
				f.wantStore(what)
				time.Sleep(2 * block)
				f.wantLate(what.epoch)
			}
			if tt.real {
				test(t, kit{client: testkit.MustClient(t, testkit.MustStartRedis(t).Addr)})
			} else {
				onBothLive(t, test)
			}
		})
	}
}

// wantLate checks that the loss made one epoch, and no more after it was mended. One
// that a writer began in an emptied store is between them.
func (f fleet) wantLate(before string) {
	f.t.Helper()
	ids := fieldsOf(f.epoch()["from"])
	if len(ids) > 2 || !slices.Contains(ids, before) {
		f.t.Errorf("came from %q, want %q and at most one in between", ids, before)
	}
	for i, c := range f.all {
		if got := c.Status().Losses; got != 1 {
			f.t.Errorf("mirror %d counts %d losses; %s", i, got, c.detail())
		}
	}
}
