package revocation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// levelled is a mirror without a Redis that vouches for every token.
func levelled(t *testing.T) *Mirror {
	t.Helper()
	m := lonely(t)
	m.epoch(Epoch{ID: "e", Clock: time.Now().UnixMicro()})
	m.level(true, time.Now())
	return m
}

// numbered is a token that four kinds of entries of its own may name, and the
// issuer's.
func numbered(i int) *Token {
	return &Token{JTI: fmt.Sprint("j", i), SID: fmt.Sprint("s", i), Subject: fmt.Sprint("u", i), KeyID: fmt.Sprint("k", i), Born: 15, Own: true}
}

func wantSame(t *testing.T, what string, m *Mirror, p *Prepared, tok *Token) {
	t.Helper()
	got, want := m.CheckPrepared(p), m.Check(t.Context(), tok)
	if got.State != want.State || got.Kind != want.Kind || got.Cause != want.Cause {
		t.Fatalf("%s: prepared %+v, else %+v", what, got, want)
	}
}

// TestPreparedIsNotLookedUp: while nothing comes that may concern a token, what the
// tables hold is not looked at; as soon as something does, it is.
func TestPreparedIsNotLookedUp(t *testing.T) {
	m := levelled(t)
	tok := numbered(1)
	p := m.Prepare(tok)
	state := func(want State) {
		t.Helper()
		if v := m.CheckPrepared(p); v.State != want {
			t.Fatalf("%+v, want %s", v, want)
		}
	}
	state(Clear)
	m.jtis.Put(DigestOf("o", KindJTI, "j1"), 4_000_000_000) // without a word to the changes
	if v := m.Check(t.Context(), tok); v.State != Revoked {
		t.Fatalf("%+v", v)
	}
	state(Clear)
	other := Record{Kind: KindJTI, Cut: 20, At: 20, Digest: DigestOf("o", KindJTI, "j1")}
	other.Digest[0]++ // in another part
	m.heard([]Record{other})
	state(Clear)
	other.Digest[0]--
	other.Digest[5]++ // in the same one, and no entry of the token's
	m.heard([]Record{other})
	state(Revoked)
	state(Revoked)
}

// TestPreparedBetweenLookAndAnswer: what comes after a check has looked and before it
// has answered is missed by that check, and by no later one.
func TestPreparedBetweenLookAndAnswer(t *testing.T) {
	m := levelled(t)
	tok := numbered(1)
	p := m.Prepare(tok)
	comes := false
	m.cfg.Now = func() time.Time { // which a check asks when it has looked
		if comes {
			comes = false
			m.heard([]Record{{Kind: KindJTI, Digest: DigestOf("o", KindJTI, tok.JTI), Cut: 20, At: 20}})
		}
		return time.Now()
	}
	comes = true
	if v := m.CheckPrepared(p); v.State != Clear || comes {
		t.Fatalf("%+v, still to come %t", v, comes)
	}
	if v := m.CheckPrepared(p); v.State != Revoked {
		t.Fatalf("%+v", v)
	}
}

// TestPreparedSeesEveryChange: whatever comes, in whatever order, a prepared token that
// was clear before is judged like one that was never seen.
func TestPreparedSeesEveryChange(t *testing.T) {
	const tokens = 4
	kinds := Kinds()
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 140))
		m := levelled(t)
		start := time.Now()
		now := start
		m.cfg.Now = func() time.Time { return now }
		var toks [tokens]*Token
		var prepared [tokens]*Prepared
		for i := range toks {
			toks[i] = numbered(i)
			prepared[i] = m.Prepare(toks[i])
		}
		for step := range 400 {
			kind := kinds[rnd.IntN(len(kinds))]
			i := rnd.IntN(tokens)
			id := map[Kind]string{KindJTI: toks[i].JTI, KindSession: toks[i].SID, KindKey: toks[i].KeyID, KindSubject: toks[i].Subject}[kind]
			r := Record{
				Kind: kind, Digest: DigestOf("o", kind, id), At: int64(step), Cut: int64(10 + rnd.IntN(10)),
				ExpiresAt: start.Unix() + int64(rnd.IntN(100)),
			}
			switch rnd.IntN(4) {
			case 0:
				r.Undone, r.Cut = r.At, 0
			case 1: // of a cut-off: lowered, perhaps
				r.Undone = r.At
			}
			if rnd.IntN(2) == 0 {
				m.wrote(context.Background(), "", r, nil)
			} else {
				m.heard([]Record{r})
			}
			if rnd.IntN(4) == 0 {
				now = start.Add(time.Duration(rnd.IntN(100)) * time.Second) // forth and back
			}
			for i := range toks {
				wantSame(t, fmt.Sprintf("seed %d, step %d, token %d", seed, step, i), m, prepared[i], toks[i])
			}
		}
	}
}

// TestPreparedIsVouchedForAnew: what the mirror as a whole says is asked each time.
func TestPreparedIsVouchedForAnew(t *testing.T) {
	m := lonely(t)
	tok := numbered(1)
	p := m.Prepare(tok)
	want := func(state State, cause Cause) {
		t.Helper()
		if v := m.CheckPrepared(p); v.State != state || v.Cause != cause {
			t.Fatalf("%+v, want %s, %s", v, state, cause)
		}
		wantSame(t, "as a whole", m, p, tok)
	}
	want(Unknown, CauseLoading)
	now := time.Now()
	m.cfg.Now = func() time.Time { return now }
	m.epoch(Epoch{ID: "e", Clock: now.UnixMicro()})
	m.level(true, now)
	want(Clear, CauseNone)
	now = now.Add(time.Minute)
	if v := m.CheckPrepared(p); v.Stale < time.Minute {
		t.Errorf("a minute later %s old", v.Stale)
	}
	v := *m.view.Load()
	v.doubt = true
	m.view.Store(&v)
	want(Unknown, CauseLost)
	m.heard([]Record{{Kind: KindSession, Digest: DigestOf("o", KindSession, tok.SID), Cut: 20, At: 20}})
	want(Revoked, CauseNone)
}

// TestPreparedElsewhere: another mirror does not take the first one's word, nor give
// its own.
func TestPreparedElsewhere(t *testing.T) {
	a, b := levelled(t), levelled(t)
	tok := numbered(1)
	p := a.Prepare(tok)
	r := Record{Kind: KindJTI, Digest: DigestOf("o", KindJTI, tok.JTI), Cut: 20, At: 20}
	wantSame(t, "by the first", a, p, tok)
	b.heard([]Record{r})
	wantSame(t, "by the second, which knows more", b, p, tok)
	for range 3 { // the second counts more changes than the first ever will
		b.heard([]Record{{Kind: KindJTI, Digest: DigestOf("o", KindJTI, tok.JTI), At: 30, Undone: 30}})
		b.heard([]Record{{Kind: KindKey, Digest: DigestOf("o", KindKey, "other"), Cut: 20, At: 20}})
	}
	wantSame(t, "by the second, undone there", b, p, tok)
	a.heard([]Record{r})
	wantSame(t, "by the first, which knows it now", a, p, tok)
}

// TestAcknowledgedIsNeverMissed: readers share prepared tokens that they find clear over
// and over while writers revoke them, by every kind there is. Once a writer has been
// answered, nobody who begins a check finds the token clear.
func TestAcknowledgedIsNeverMissed(t *testing.T) {
	const tokens = 4000
	m := levelled(t)
	var prepared [tokens]*Prepared
	var acknowledged [tokens]atomic.Bool
	for i := range prepared {
		prepared[i] = m.Prepare(numbered(i))
	}
	var next, checks atomic.Int64
	var work sync.WaitGroup
	for range 3 {
		work.Go(func() {
			for next.Load() < tokens {
				// Those that are being revoked now, and some that were or will be.
				around := int(next.Load())
				for i := max(around-8, 0); i < min(around+24, tokens); i++ {
					over := acknowledged[i].Load()
					if v := m.CheckPrepared(prepared[i]); over && v.State != Revoked {
						t.Errorf("token %d was revoked and is %+v", i, v)
						return
					}
					checks.Add(1)
				}
			}
		})
	}
	for range 2 {
		work.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= tokens {
					return
				}
				tok := numbered(i)
				kind := []Kind{KindJTI, KindSession, KindKey, KindSubject}[i%4]
				id := []string{tok.JTI, tok.SID, tok.KeyID, tok.Subject}[i%4]
				r := Record{Kind: kind, Digest: DigestOf("o", kind, id), Cut: 20, At: 20, ExpiresAt: 4_000_000_000}
				if i%3 == 0 {
					m.heard([]Record{r})
				} else {
					m.wrote(context.Background(), "", r, nil)
				}
				acknowledged[i].Store(true)
			}
		})
	}
	work.Wait()
	for i, p := range prepared {
		if v := m.CheckPrepared(p); v.State != Revoked {
			t.Fatalf("in the end token %d is %+v", i, v)
		}
	}
	t.Logf("%d checks", checks.Load())
}
