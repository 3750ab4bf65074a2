package token_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tollgate/keys/token"
	"tollgate/revocation"
)

// TestVerdicts walks every verdict by every policy: a hit always wins, a loss or
// a store that is not loaded never lets through, an old or missing answer is the
// policy's.
func TestVerdicts(t *testing.T) {
	w := mustWorld(t)
	raw := w.good()
	down := errors.New("dial: canary-redis-address")
	type outcome struct{ deny, allow token.Reason }
	passes, denied, hit := outcome{}, outcome{token.ReasonUnavailable, token.ReasonUnavailable}, outcome{token.ReasonRevoked, token.ReasonRevoked}
	byPolicy := outcome{token.ReasonUnavailable, ""}
	rows := []struct {
		name    string
		verdict revocation.Verdict
		want    outcome
	}{
		{"clear", revocation.Verdict{State: revocation.Clear}, passes},
		{"clear, at the limit", revocation.Verdict{State: revocation.Clear, Stale: 5 * time.Second}, passes},
		{"clear, too old", revocation.Verdict{State: revocation.Clear, Stale: 5*time.Second + 1}, byPolicy},
		{"clear, an hour old", revocation.Verdict{State: revocation.Clear, Stale: time.Hour}, byPolicy},
		{"unreachable", revocation.Verdict{Cause: revocation.CauseUnreachable, Err: down}, byPolicy},
		{"lost", revocation.Verdict{Cause: revocation.CauseLost, Err: down}, denied},
		{"loading", revocation.Verdict{Cause: revocation.CauseLoading}, denied},
		{"not filled in", revocation.Verdict{}, denied},
		{"a state that does not exist", revocation.Verdict{State: 9}, denied},
		{"a cause that does not exist", revocation.Verdict{Cause: 9}, denied},
	}
	for _, kind := range append(revocation.Kinds(), "") {
		for _, stale := range []time.Duration{0, time.Hour} {
			for _, cause := range []revocation.Cause{revocation.CauseNone, revocation.CauseUnreachable, revocation.CauseLost, revocation.CauseLoading} {
				rows = append(rows, struct {
					name    string
					verdict revocation.Verdict
					want    outcome
				}{fmt.Sprintf("revoked %s, %s old, %s", kind, stale, cause), revocation.Verdict{State: revocation.Revoked, Kind: kind, Cause: cause, Stale: stale}, hit})
			}
		}
	}
	faults := map[token.Fault]bool{}
	for _, row := range rows {
		for choice, want := range map[token.Unavailable]token.Reason{token.Deny: row.want.deny, token.Allow: row.want.allow} {
			t.Run(fmt.Sprintf("%s/%d", row.name, choice), func(t *testing.T) {
				policy := &token.Policy{OnUnavailable: choice, MaxStale: 5 * time.Second}
				id, err := w.verifier.Authenticate(t.Context(), raw, policy, &staticChecker{row.verdict})
				if want == "" {
					if err != nil || id == nil {
						t.Errorf("refused: %v", err)
					}
					return
				}
				w.refused(t, raw, id, err, want)
				r, _ := errors.AsType[*token.Refusal](err)
				faults[r.Fault] = true
				if r.Token == nil || r.Token.JTI != "canary-jti" {
					t.Errorf("the refusal does not say whose token: %+v", r.Token)
				}
				if errors.Is(err, down) != (row.verdict.Err != nil) {
					t.Errorf("cause %v", r.Err)
				}
			})
		}
	}
	// token, session, subject, key, all; too old, unreachable, lost, loading.
	if len(faults) != 9 {
		t.Errorf("%d different faults: %v", len(faults), faults)
	}
}

// TestAsksForTheWholeToken: a fact that is left out of the question is a kind of
// revocation that does not hold.
func TestAsksForTheWholeToken(t *testing.T) {
	w := mustWorld(t)
	ask := func(raw string) revocation.Token {
		t.Helper()
		c := &checker{verdict: revocation.Verdict{State: revocation.Clear}}
		if _, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, c); err != nil {
			t.Fatal(err)
		}
		if c.asked.Signed != nil {
			t.Errorf("the signed part of a token with a jti")
		}
		c.asked.Signed = nil
		return *c.asked
	}
	same := func(got, want revocation.Token) {
		t.Helper()
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("asked for %+v, want %+v", got, want)
		}
	}
	iat := kitTime.Unix() - 300
	same(ask(w.good()), revocation.Token{
		Issuer: ownIssuer, JTI: "canary-jti", SID: canarySession, Subject: "canary-sub", KeyID: "kid-es",
		Born: 1_799_999_000_000_000, IssuedAt: iat, Own: true,
	})
	same(ask(w.rs.mint(head(w.rs).String(), claims().without("sid").with("iat", fmt.Sprint(iat)+".9").String())), revocation.Token{
		Issuer: ownIssuer, JTI: "canary-jti", Subject: "canary-sub", KeyID: "kid-rs", IssuedAt: iat, Own: true,
	})
	// A foreign sid is a name and has no birth in it, even if it looks so.
	same(ask(w.foreign.mint(head(w.foreign).String(), others().with("sid", `"`+canarySession+`"`).without("iat").String())), revocation.Token{
		Issuer: otherIssuer, JTI: "canary-jti", SID: canarySession, Subject: "canary-sub", KeyID: "kid-es",
	})
}

// TestAsksOnlyForGoodTokens: what is refused anyway costs the store nothing.
func TestAsksOnlyForGoodTokens(t *testing.T) {
	w := mustWorld(t)
	for _, d := range []doc{
		claims().with("exp", "1"), claims().with("aud", `"canary"`), claims().with("token_type", `"refresh"`), claims().with("sub", `""`),
		claims().with("iss", `"https://canary.example"`), claims().with("nbf", "1900000000"), claims().with("exp", "1900000000"),
	} {
		for _, s := range []*signer{w.es, w.stranger} {
			c := &checker{verdict: revocation.Verdict{State: revocation.Clear}}
			_, err := w.verifier.Authenticate(t.Context(), s.mint(head(s).String(), d.String()), &token.Policy{}, c)
			if err == nil || c.asked != nil {
				t.Errorf("%s: %v, asked %v", d, err, c.asked)
			}
		}
	}
}
