package token_test

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// mustRemembering returns a verifier with a memory, and its clock.
func mustRemembering(tb testing.TB, bytes int64, issuers ...token.Issuer) (*token.Verifier, *time.Time) {
	tb.Helper()
	now := kitTime
	v, err := token.New(token.Config{Issuers: issuers, Leeway: 10 * time.Second, MemoryBytes: bytes, Now: func() time.Time { return now }})
	if err != nil {
		tb.Fatal(err)
	}
	return v, &now
}

func reasonOf(err error) token.Reason {
	if r, ok := errors.AsType[*token.Refusal](err); ok {
		return r.Reason
	}
	return ""
}

// TestRememberedTokenIsJudgedAgain: memory saves the signature and nothing else.
func TestRememberedTokenIsJudgedAgain(t *testing.T) {
	s, again := mustSigner(t, "kid-es", keys.ES256), mustSigner(t, "kid-es", keys.ES256)
	revoked := &staticChecker{revocation.Verdict{State: revocation.Revoked, Kind: revocation.KindJTI}}
	unknown := &staticChecker{revocation.Verdict{State: revocation.Unknown, Cause: revocation.CauseUnreachable}}
	type world struct {
		issuer *token.Issuer
		policy *token.Policy
		now    *time.Time
		ask    *staticChecker
	}
	for _, row := range []struct {
		name   string
		change func(w *world)
		want   token.Reason
	}{
		{"nothing", func(*world) {}, ""},
		{"revoked", func(w *world) { *w.ask = *revoked }, token.ReasonRevoked},
		{"nobody can say", func(w *world) { *w.ask = *unknown }, token.ReasonUnavailable},
		{"expired", func(w *world) { *w.now = kitTime.Add(310 * time.Second) }, token.ReasonExpired},
		{"a route with a scope", func(w *world) { w.policy.Scopes = []string{"canary:admin"} }, token.ReasonScope},
		{"a route with an audience", func(w *world) { w.policy.Audiences = []string{"shop"} }, token.ReasonAudience},
		{"a route for another type", func(w *world) { w.policy.TokenTypes = []string{"sliding"} }, token.ReasonTokenType},
		{"the issuer is believed no more", func(w *world) { w.issuer.Name = ownIssuer }, token.ReasonIssuer},
		{"the key is gone", func(w *world) { w.issuer.Keys = mustKeys(t) }, token.ReasonUnknownKey},
		{"another key has its kid", func(w *world) { w.issuer.Keys = mustKeys(t, again) }, token.ReasonSignature},
		{"the issuer's life cap", func(w *world) { w.issuer.MaxLifetime = map[string]time.Duration{"": time.Minute} }, token.ReasonLifetime},
		{"the issuer's header types", func(w *world) { w.issuer.Types = []string{"at+jwt"} }, token.ReasonTokenType},
	} {
		t.Run(row.name, func(t *testing.T) {
			issuer, ask := token.Issuer{Name: otherIssuer, Keys: mustKeys(t, s)}, *allClear
			v, now := mustRemembering(t, 1<<20, issuer)
			w := &world{issuer: &issuer, policy: &token.Policy{}, now: now, ask: &ask}
			raw := s.mint(head(s).String(), others().String())
			for range 2 {
				if _, err := v.Authenticate(t.Context(), raw, w.policy, w.ask); err != nil {
					t.Fatal(err)
				}
			}
			if tokens, _, hits, misses := v.Remembered(); tokens != 1 || hits != 1 || misses != 1 {
				t.Fatalf("%d tokens, %d hits, %d misses", tokens, hits, misses)
			}
			row.change(w)
			if err := v.Trust([]token.Issuer{issuer}); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time must not be kinder
				id, err := v.Authenticate(t.Context(), raw, w.policy, w.ask)
				if reasonOf(err) != row.want || (err == nil) != (row.want == "") || (id == nil) != (err != nil) {
					t.Fatalf("%v, want %q", err, row.want)
				}
			}
		})
	}
}

// TestRememberedWithoutKid: an issuer that has got a second key cannot be asked for
// its only one, remembered or not.
func TestRememberedWithoutKid(t *testing.T) {
	s, second := mustSigner(t, "one", keys.ES256), mustSigner(t, "two", keys.ES256)
	issuer := token.Issuer{Name: otherIssuer, Keys: mustKeys(t, s), Legacy: token.Legacy{NoKID: true}}
	v, _ := mustRemembering(t, 1<<20, issuer)
	raw := s.mint(head(s).without("kid").String(), others().String())
	if _, err := v.Authenticate(t.Context(), raw, &token.Policy{}, allClear); err != nil {
		t.Fatal(err)
	}
	issuer.Keys = mustKeys(t, s, second)
	if err := v.Trust([]token.Issuer{issuer}); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Authenticate(t.Context(), raw, &token.Policy{}, allClear); reasonOf(err) != token.ReasonUnknownKey {
		t.Errorf("%v, want %s", err, token.ReasonUnknownKey)
	}
}

// TestNoFailureIsRemembered: bad tokens leave nothing behind, and one that differs
// from a good one in a byte is not it.
func TestNoFailureIsRemembered(t *testing.T) {
	w := mustWorld(t)
	v, _ := mustRemembering(t, 1<<20, token.Issuer{Name: otherIssuer, Keys: mustKeys(t, w.es)})
	good := w.es.mint(head(w.es).String(), others().String())
	if _, err := v.Authenticate(t.Context(), good, &token.Policy{}, allClear); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := []byte(good)
		if bad[i]++; bad[i] == '.' || good[i] == '.' {
			continue
		}
		if _, err := v.Authenticate(t.Context(), string(bad), &token.Policy{}, allClear); err == nil {
			t.Fatalf("accepted with byte %d changed", i)
		}
	}
	if tokens, _, _, _ := v.Remembered(); tokens != 1 {
		t.Errorf("%d tokens are remembered, want the good one", tokens)
	}
}

// TestMemoryIsBounded: more live tokens than fit cost signatures, not memory, and a
// token in steady use stays.
func TestMemoryIsBounded(t *testing.T) {
	const bound = 64 << 10
	s := mustSigner(t, "kid", keys.EdDSA)
	v, _ := mustRemembering(t, bound, token.Issuer{Name: otherIssuer, Keys: mustKeys(t, s)})
	ask := func(jti string) {
		t.Helper()
		raw := s.mint(head(s).String(), others().with("jti", strconv.Quote(jti)).String())
		if _, err := v.Authenticate(t.Context(), raw, &token.Policy{}, allClear); err != nil {
			t.Fatal(err)
		}
	}
	const rounds = 3000
	for i := range rounds {
		ask("steady")
		ask(fmt.Sprintf("passing-%d", i))
	}
	tokens, bytes, hits, _ := v.Remembered()
	if bytes > 2*bound || tokens == 0 { // it may be above for a moment
		t.Errorf("%d tokens count for %d bytes, bound %d", tokens, bytes, bound)
	}
	if hits < rounds*3/4 {
		t.Errorf("the token in steady use was found %d times of %d", hits, rounds)
	}
}

// TestManyAskForOneToken: whoever asks at the same time gets the same answer, and
// each an own refusal.
func TestManyAskForOneToken(t *testing.T) {
	w := mustWorld(t)
	v, _ := mustRemembering(t, 1<<20, token.Issuer{Name: otherIssuer, Keys: mustKeys(t, w.es)})
	good := w.es.mint(head(w.es).String(), others().String())
	bad := good[:len(good)-8] + "AAAAAAAA"
	var all sync.WaitGroup
	refusals := make(chan error, 100)
	for i := range 100 {
		all.Go(func() {
			if i%2 == 0 {
				if _, err := v.Authenticate(t.Context(), good, &token.Policy{}, allClear); err != nil {
					t.Error(err)
				}
				return
			}
			_, err := v.Authenticate(t.Context(), bad, &token.Policy{}, allClear)
			refusals <- err
		})
	}
	all.Wait()
	close(refusals)
	seen := map[error]bool{}
	for err := range refusals {
		if reasonOf(err) != token.ReasonSignature || seen[err] {
			t.Fatalf("%v, or one refusal given twice", err)
		}
		seen[err] = true
	}
}

// TestMemo: what is made of an identity is made once for each owner, and does not
// pile up.
func TestMemo(t *testing.T) {
	w := mustWorld(t)
	v, _ := mustRemembering(t, 1<<20, token.Issuer{Name: otherIssuer, Keys: mustKeys(t, w.es)})
	id, err := v.Authenticate(t.Context(), w.es.mint(head(w.es).String(), others().String()), &token.Policy{}, allClear)
	if err != nil {
		t.Fatal(err)
	}
	owners, built := make([]int, 20), 0
	build := func(id *token.Identity) any { built++; return id.Subject }
	for range 2 {
		for i := range owners[:5] {
			if got := id.Memo(&owners[i], build); got != id.Subject {
				t.Fatalf("memo: %v", got)
			}
		}
	}
	if built != 5 {
		t.Errorf("built %d times for 5 owners", built)
	}
	for range 100 {
		for i := range owners {
			id.Memo(&owners[i], build)
		}
	}
	if n := token.Memos(id); n > 8 {
		t.Errorf("%d memos are kept", n)
	}
}
