package token_test

import (
	"errors"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// TestReaffirm: what was right once is asked again in every respect but its
// signature.
func TestReaffirm(t *testing.T) {
	s, again := mustSigner(t, "kid-es", keys.ES256), mustSigner(t, "kid-es", keys.ES256)
	revoked := &staticChecker{revocation.Verdict{State: revocation.Revoked, Kind: revocation.KindSession}}
	for _, row := range []struct {
		name   string
		change func(i *token.Issuer, p *token.Policy, now *time.Time)
		ask    token.Checker
		want   token.Reason
	}{
		{"nothing changed", func(*token.Issuer, *token.Policy, *time.Time) {}, allClear, ""},
		{"revoked", func(*token.Issuer, *token.Policy, *time.Time) {}, revoked, token.ReasonRevoked},
		{"just before its end", func(_ *token.Issuer, _ *token.Policy, now *time.Time) { *now = kitTime.Add(310*time.Second - 1000) }, allClear, ""},
		{"expired since", func(_ *token.Issuer, _ *token.Policy, now *time.Time) { *now = kitTime.Add(310 * time.Second) }, allClear, token.ReasonExpired},
		{"another policy", func(_ *token.Issuer, p *token.Policy, _ *time.Time) { p.Scopes = []string{"canary:admin"} }, allClear, token.ReasonScope},
		{"another issuer", func(i *token.Issuer, _ *token.Policy, _ *time.Time) { i.Name = ownIssuer }, allClear, token.ReasonIssuer},
		{"key withdrawn", func(i *token.Issuer, _ *token.Policy, _ *time.Time) {
			i.Keys = mustKeys(t, mustSigner(t, "other", keys.ES256))
		}, allClear, token.ReasonUnknownKey},
		{"no keys at hand", func(i *token.Issuer, _ *token.Policy, _ *time.Time) { i.Keys = mustKeys(t) }, allClear, token.ReasonUnavailable},
		{"key replaced under its kid", func(i *token.Issuer, _ *token.Policy, _ *time.Time) { i.Keys = mustKeys(t, again) }, allClear, token.ReasonUnknownKey},
		{"the same key read anew", func(i *token.Issuer, _ *token.Policy, _ *time.Time) {
			i.Keys = mustKeys(t, mustSignerOf(t, s.kid, s.alg, s.secret))
		}, allClear, ""},
		{"algorithm forbidden since", func(i *token.Issuer, _ *token.Policy, _ *time.Time) { i.Algorithms = []keys.Algorithm{keys.RS256} }, allClear, token.ReasonAlgorithm},
		{"typ forbidden since", func(i *token.Issuer, _ *token.Policy, _ *time.Time) { i.Types = []string{"at+jwt"} }, allClear, token.ReasonTokenType},
		{"audience asked for since", func(i *token.Issuer, _ *token.Policy, _ *time.Time) { i.Audiences = []string{"shop"} }, allClear, token.ReasonAudience},
		{"life capped since", func(i *token.Issuer, _ *token.Policy, _ *time.Time) {
			i.MaxLifetime = map[string]time.Duration{"": time.Minute}
		}, allClear, token.ReasonLifetime},
		{"another subject claim", func(i *token.Issuer, _ *token.Policy, _ *time.Time) { i.SubjectClaim = "user_id" }, allClear, token.ReasonMalformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			now, policy := kitTime, &token.Policy{}
			issuer := token.Issuer{Name: otherIssuer, Keys: mustKeys(t, s)}
			v, err := token.New(token.Config{Issuers: []token.Issuer{issuer}, Leeway: 10 * time.Second, Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			id, err := v.Authenticate(t.Context(), s.mint(head(s).String(), others().String()), policy, allClear)
			if err != nil {
				t.Fatal(err)
			}
			row.change(&issuer, policy, &now)
			if err := v.Trust([]token.Issuer{issuer}); err != nil {
				t.Fatal(err)
			}
			err = v.Reaffirm(t.Context(), id, policy, row.ask)
			if row.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			r, ok := errors.AsType[*token.Refusal](err)
			if !ok || r.Reason != row.want || r.Token != id {
				t.Errorf("%v, want %s", err, row.want)
			}
		})
	}
}

// TestReaffirmWithoutExcuse: a legacy switch that was turned off ends what lived
// by it.
func TestReaffirmWithoutExcuse(t *testing.T) {
	s := mustSigner(t, "kid-es", keys.ES256)
	issuer := token.Issuer{Name: otherIssuer, Keys: mustKeys(t, s)}
	for want, raw := range map[token.Reason]string{
		token.ReasonUnknownKey: s.mint(head(s).without("kid").String(), others().String()),
		token.ReasonIssuer:     s.mint(head(s).String(), others().without("iss").String()),
		token.ReasonMalformed:  s.mint(head(s).String(), others().without("jti").String()),
	} {
		excused := issuer
		excused.Legacy = token.Legacy{NoKID: true, NoIssuer: true, NoJTI: true}
		v := mustVerifier(t, excused)
		id, err := v.Authenticate(t.Context(), raw, &token.Policy{}, allClear)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Reaffirm(t.Context(), id, &token.Policy{}, allClear); err != nil {
			t.Errorf("%s: %v", want, err)
		}
		if err := v.Trust([]token.Issuer{issuer}); err != nil {
			t.Fatal(err)
		}
		if r, _ := errors.AsType[*token.Refusal](v.Reaffirm(t.Context(), id, &token.Policy{}, allClear)); r == nil || r.Reason != want {
			t.Errorf("%v, want %s", r, want)
		}
	}
}

// TestDeadline: until then, and no longer, the clock lets the token through.
func TestDeadline(t *testing.T) {
	s := mustSigner(t, "kid-es", keys.ES256)
	for exp, want := range map[string]time.Time{"1800000300": kitTime.Add(310 * time.Second), "1800000300.75": kitTime.Add(310*time.Second + 750*time.Millisecond)} {
		now := kitTime
		v, err := token.New(token.Config{Issuers: []token.Issuer{{Name: otherIssuer, Keys: mustKeys(t, s)}}, Leeway: 10 * time.Second, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		id, err := v.Authenticate(t.Context(), s.mint(head(s).String(), others().with("exp", exp).String()), &token.Policy{}, allClear)
		if err != nil {
			t.Fatal(err)
		}
		if !id.Deadline().Equal(want) {
			t.Errorf("exp %s: deadline %s, want %s", exp, id.Deadline(), want)
		}
		if ends := id.Ends(); ends.Before(want.Add(-10*time.Second)) || ends.Sub(want.Add(-10*time.Second)) >= time.Second || ends.Nanosecond() != 0 {
			t.Errorf("exp %s: ends %s", exp, ends)
		}
		for before, accepted := range map[time.Duration]bool{time.Microsecond: true, 0: false} {
			now = id.Deadline().Add(-before)
			if err := v.Reaffirm(t.Context(), id, &token.Policy{}, allClear); (err == nil) != accepted {
				t.Errorf("exp %s, %s before the deadline: %v", exp, before, err)
			}
		}
	}
}
