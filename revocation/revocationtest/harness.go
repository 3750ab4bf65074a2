package revocationtest

import (
	"context"
	"testing"
	"time"

	"tollgate/revocation"
)

// Lives that the suite counts with; see Settings.
const (
	leeway      = 10 * time.Second
	accessLife  = 5 * time.Minute
	sessionLife = 24 * time.Hour
	own         = "https://own.example"
	foreign     = "https://foreign.example"
)

// Settings are what the harness's store must be made with.
func Settings() revocation.Settings {
	return revocation.Settings{Leeway: leeway, AccessLife: accessLife, SessionLife: sessionLife, Own: own}
}

// Harness is one fresh, empty store and what can be done to it. Hooks that are
// nil cannot be done; the tests that need them are skipped.
type Harness struct {
	Store revocation.Store
	// Advance lets time pass for the store. Where it really passes, Advance
	// sleeps: the suite asks for at most two seconds at once, unless Virtual.
	Advance func(d time.Duration)
	Virtual bool // Advance costs nothing
	// TTL asks the server how long an entry will stay: negative for ever.
	TTL func(t *testing.T, d revocation.Digest) time.Duration
	// Lose empties the store behind its back, as FLUSHALL does.
	Lose func(t *testing.T)
	// Admit has an emptied store take revocations, as some process does that has read what is
	// left of it. It goes with Lose.
	Admit func(t *testing.T)
	// Mend empties the store behind its back and waits until it has been put back by a
	// process that has kept all, and has its words again.
	Mend func(t *testing.T)
	// Break takes the store away for the rest of the test.
	Break func(t *testing.T)
	// Stale is set for a store that answers from a copy: how old its verdicts may be
	// in the suite. It answers without Redis, too.
	Stale time.Duration
	// Another is a second store on the same data, as another process has it.
	Another revocation.Store
}

// Run runs the suite; open is called once for each of its tests.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	tests := []struct {
		name string
		test func(*testing.T, Harness)
	}{
		{"each kind refuses what it names and nothing else", testKinds},
		{"a signed token without jti", testSigned},
		{"issuers are apart", testIssuers},
		{"an empty token", testEmptyToken},
		{"hostile ids", testHostileIDs},
		{"invalid orders", testInvalidOrders},
		{"store time rises", testStoreTime},
		{"cut-off and a session born right after", testSameSecond},
		{"a cut-off and tokens of other issuers", testForeignSecond},
		{"revoking again", testIdempotent},
		{"undo and revoke again", testUndo},
		{"undo one of several cut-offs", testUndoCutOffs},
		{"many cut-offs", testManyCutOffs},
		{"not found", testNotFound},
		{"life of each kind", testLives},
		{"a life is never shortened", testNeverShorter},
		{"expiry", testExpiry},
		{"a short cut-off beside a long one", testPassedStatement},
		{"list with filters", testListFilters},
		{"list page by page", testListPages},
		{"first epoch", testFirstEpoch},
		{"loss is noticed", testLoss},
		{"a hit wins over a loss", testHitWins},
		{"listed as before a loss", testListedAsBefore},
		{"out of reach", testUnreachable},
		{"context has ended", testContext},
		{"at the same time", testConcurrent},
		{"two processes", testTwoProcesses},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) { tc.test(t, open(t)) })
	}
}

// late is how much longer than Redis the store refuses what is over: a copy knows
// whole seconds, rounded up.
func (h Harness) late() time.Duration {
	if h.Stale > 0 {
		return time.Second
	}
	return 0
}

func (h Harness) mustRevoke(t *testing.T, o revocation.Order) revocation.Revocation {
	t.Helper()
	r, err := h.Store.Revoke(t.Context(), o)
	if err != nil {
		t.Fatalf("revoke %s: %v", o.Kind, err)
	}
	return h.ofEpoch(t, r)
}

func (h Harness) mustUndo(t *testing.T, id string) revocation.Revocation {
	t.Helper()
	r, err := h.Store.Undo(t.Context(), id)
	if err != nil {
		t.Fatalf("undo %s: %v", id, err)
	}
	return h.ofEpoch(t, r)
}

// ofEpoch checks the epoch in the answer to a write, and returns the answer as Get
// gives it: without.
func (h Harness) ofEpoch(t *testing.T, r revocation.Revocation) revocation.Revocation {
	t.Helper()
	e, err := h.Store.Epoch(t.Context())
	if err != nil || r.Epoch != e.ID || r.Seq > e.N {
		t.Fatalf("epoch %+v, %v after %+v", e, err, r)
	}
	r.Epoch = ""
	return r
}

func (h Harness) mustGet(t *testing.T, id string) revocation.Revocation {
	t.Helper()
	r, err := h.Store.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("get %s: %v", id, err)
	}
	return r
}

func (h Harness) mustList(t *testing.T, f revocation.Filter) revocation.Page {
	t.Helper()
	p, err := h.Store.List(t.Context(), f)
	if err != nil {
		t.Fatalf("list %+v: %v", f, err)
	}
	return p
}

// birth takes a store time, as a log-in does.
func (h Harness) birth(t *testing.T) int64 {
	t.Helper()
	now, err := h.Store.Now(t.Context())
	if err != nil {
		t.Fatalf("now: %v", err)
	}
	return now
}

// token returns a token of our own issuer whose session is born now.
func (h Harness) token(t *testing.T, jti, sid, subject string) *revocation.Token {
	t.Helper()
	born := h.birth(t)
	return &revocation.Token{
		Issuer: own, JTI: jti, SID: sid, Subject: subject, KeyID: "key-1",
		Born: born, IssuedAt: born / 1e6, Own: true,
	}
}

func (h Harness) wantClear(t *testing.T, what string, tok *revocation.Token) {
	t.Helper()
	h.want(t, h.Store, what, tok, revocation.Verdict{State: revocation.Clear})
}

func (h Harness) wantRevoked(t *testing.T, what string, tok *revocation.Token, by revocation.Kind) {
	t.Helper()
	h.want(t, h.Store, what, tok, revocation.Verdict{State: revocation.Revoked, Kind: by})
}

// wantShortly is wantRevoked of what was ordered since began and stays for a second
// alone: it says nothing when that is over already.
func (h Harness) wantShortly(t *testing.T, began time.Time, what string, tok *revocation.Token, by revocation.Kind) {
	t.Helper()
	v := h.Store.Check(t.Context(), tok)
	if (v.State != revocation.Revoked || v.Kind != by) && (h.Virtual || time.Since(began) < time.Second) {
		t.Fatalf("%s: %+v, want revoked by %q", what, v, by)
	}
}

func (h Harness) wantUnknown(t *testing.T, what string, tok *revocation.Token, why revocation.Cause) {
	t.Helper()
	h.want(t, h.Store, what, tok, revocation.Verdict{State: revocation.Unknown, Cause: why})
}

// want compares a verdict but for its Err, and its Stale when that is within bounds.
func (h Harness) want(t *testing.T, s revocation.Store, what string, tok *revocation.Token, w revocation.Verdict) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got := s.Check(ctx, tok)
	err := got.Err
	got.Err = nil
	if got.Stale <= h.Stale {
		got.Stale = 0
	}
	if got != w {
		t.Fatalf("%s: %s by %q, cause %s (%v), %s old; want %s by %q, cause %s",
			what, got.State, got.Kind, got.Cause, err, got.Stale, w.State, w.Kind, w.Cause)
	}
}
