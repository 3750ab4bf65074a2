package token_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/token"
)

func TestAcceptsEveryAlgorithm(t *testing.T) {
	for _, alg := range append(keys.Algorithms(), keys.HS256) {
		t.Run(string(alg), func(t *testing.T) {
			s := mustSigner(t, "kid-"+string(alg), alg)
			v := mustVerifier(t, token.Issuer{Name: otherIssuer, Keys: mustKeys(t, s)})
			raw := s.mint(head(s).String(), others().String())
			id, err := v.Authenticate(t.Context(), raw, &token.Policy{}, allClear)
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			if id.Algorithm != alg || id.KeyID != s.kid || id.Subject != "canary-sub" || id.Own {
				t.Errorf("identity %+v", id)
			}
			at := strings.LastIndexByte(raw, '.') + 1
			sig := mustDecode(t, raw[at:])
			sig[len(sig)/2] ^= 1
			if id, err := v.Authenticate(t.Context(), raw[:at]+b64(string(sig)), &token.Policy{}, allClear); err == nil {
				t.Errorf("a changed signature gave %v", id)
			}
		})
	}
}

// TestSameKidInTwoIssuers: keys belong to issuers, RFC 8725 section 3.8.
func TestSameKidInTwoIssuers(t *testing.T) {
	w := mustWorld(t)
	own := w.mustAccept(t, w.good(), &token.Policy{})
	other := w.mustAccept(t, w.foreign.mint(head(w.foreign).String(), others().String()), &token.Policy{})
	if own.KeyID != other.KeyID || own.Issuer != ownIssuer || other.Issuer != otherIssuer || !own.Own || other.Own {
		t.Errorf("identities %+v and %+v", own, other)
	}
	legacy := w.mustAccept(t, w.secret.mint(head(w.secret).String(), others().String()), &token.Policy{})
	if legacy.Algorithm != keys.HS256 {
		t.Errorf("algorithm %s", legacy.Algorithm)
	}
}

// TestIssuerSettings: what one issuer may do is its own setting.
func TestIssuerSettings(t *testing.T) {
	es, rs := mustSigner(t, "kid-es", keys.ES256), mustSigner(t, "kid-rs", keys.RS256)
	base := token.Issuer{Name: otherIssuer, Keys: mustKeys(t, es, rs)}
	mint := func(s *signer, typ string, d doc) string {
		return s.mint(head(s).with("typ", typ).String(), d.String())
	}
	with := func(change func(*token.Issuer)) token.Issuer {
		i := base
		change(&i)
		return i
	}
	onlyES := with(func(i *token.Issuer) { i.Algorithms = []keys.Algorithm{keys.ES256} })
	typed := with(func(i *token.Issuer) { i.Types = []string{"access+jwt"} })
	byID := with(func(i *token.Issuer) { i.SubjectClaim = "user_id" })
	capped := with(func(i *token.Issuer) {
		i.MaxLifetime = map[string]time.Duration{"": time.Hour, "access": 10 * time.Minute}
	})
	long := others().with("exp", "1800000301") // 301 s ahead, 601 s after iat
	for _, row := range []struct {
		name   string
		issuer token.Issuer
		raw    string
		want   token.Reason
	}{
		{"allowed algorithm", onlyES, mint(es, `"JWT"`, others()), ""},
		{"key of an algorithm that is not allowed", onlyES, mint(rs, `"JWT"`, others()), token.ReasonAlgorithm},
		{"typ of its own", typed, mint(es, `"application/access+JWT"`, others()), ""},
		{"the usual typ where it has its own", typed, mint(es, `"JWT"`, others()), token.ReasonTokenType},
		{"subject by number", byID, mint(es, `"JWT"`, others().with("user_id", "42").without("sub")), ""},
		{"subject by text", byID, mint(es, `"JWT"`, others().with("user_id", `"42"`)), ""},
		{"sub does not stand in", byID, mint(es, `"JWT"`, others()), token.ReasonMalformed},
		{"negative subject", byID, mint(es, `"JWT"`, others().with("user_id", "-42")), token.ReasonMalformed},
		{"fractional subject", byID, mint(es, `"JWT"`, others().with("user_id", "42.0")), token.ReasonMalformed},
		{"exponential subject", byID, mint(es, `"JWT"`, others().with("user_id", "42e1")), token.ReasonMalformed},
		{"subject of 256 digits", byID, mint(es, `"JWT"`, others().with("user_id", strings.Repeat("9", 256))), token.ReasonMalformed},
		{"subject null", byID, mint(es, `"JWT"`, others().with("user_id", "null")), token.ReasonMalformed},
		{"no cap", base, mint(es, `"JWT"`, others().with("exp", "253402300799")), ""},
		{"cap of the nameless type", capped, mint(es, `"JWT"`, long), ""},
		{"cap of access", capped, mint(es, `"JWT"`, long.with("token_type", `"access"`)), token.ReasonLifetime},
		{"cap without iat", capped, mint(es, `"JWT"`, long.with("token_type", `"access"`).without("iat").with("exp", "1800000601")), token.ReasonLifetime},
		{"cap without iat, within", capped, mint(es, `"JWT"`, long.with("token_type", `"access"`).without("iat")), ""},
		// iat ahead by the leeway must not buy more than the leeway.
		{"cap and iat ahead", capped, mint(es, `"JWT"`, others().with("iat", "1800000010").with("exp", "1800000611").with("token_type", `"access"`)), token.ReasonLifetime},
		{"cap and iat far ahead", capped, mint(es, `"JWT"`, others().with("iat", "1800000011").with("exp", "1800000611").with("token_type", `"access"`)), token.ReasonNotYetValid},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := &world{verifier: mustVerifier(t, row.issuer), signers: []*signer{es, rs}}
			id, err := w.verifier.Authenticate(t.Context(), row.raw, &token.Policy{}, allClear)
			if row.want != "" {
				w.refused(t, row.raw, id, err, row.want)
			} else if err != nil {
				t.Errorf("refused: %v", err)
			} else if row.issuer.SubjectClaim != "" && id.Subject != "42" {
				t.Errorf("subject %q", id.Subject)
			}
		})
	}
}

func TestNewListsFaults(t *testing.T) {
	s := mustSigner(t, "kid-es", keys.ES256)
	ks := mustKeys(t, s)
	v, err := token.New(token.Config{Issuers: []token.Issuer{
		{Keys: ks}, {Name: "a"}, {Name: "b", Keys: ks, Leeway: -1}, {Name: "c", Keys: ks}, {Name: "c", Keys: ks},
	}})
	if v != nil || err == nil {
		t.Fatalf("%v, %v", v, err)
	}
	for _, want := range []string{"without a name", `"a" has no source`, `"b" has a negative`, "c is named twice"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not among %v", want, err)
		}
	}
	for _, c := range []token.Config{{Leeway: -1}, {MaxBytes: -1}} {
		if v, err := token.New(c); v != nil || err == nil {
			t.Errorf("%+v gave a verifier", c)
		}
	}
	// Nobody is trusted, and nobody passes.
	w := &world{verifier: mustVerifier(t)}
	raw := s.mint(head(s).String(), others().String())
	id, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, allClear)
	w.refused(t, raw, id, err, token.ReasonIssuer)
}

func TestMaxBytes(t *testing.T) {
	s := mustSigner(t, "kid-es", keys.ES256)
	raw := s.mint(head(s).String(), others().String())
	for size, accepted := range map[int]bool{len(raw): true, len(raw) - 1: false} {
		v, err := token.New(token.Config{
			Issuers: []token.Issuer{{Name: otherIssuer, Keys: mustKeys(t, s)}}, MaxBytes: size, Now: func() time.Time { return kitTime },
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Authenticate(t.Context(), raw, &token.Policy{}, allClear); (err == nil) != accepted {
			t.Errorf("%d bytes of %d: %v", len(raw), size, err)
		}
	}
}

// rotating is a source whose set changes under the verifier.
type rotating struct{ set atomic.Pointer[keys.Set] }

func (r *rotating) Set() *keys.Set { return r.set.Load() }

func TestKeysAndIssuersChange(t *testing.T) {
	s := mustSigner(t, "kid-es", keys.ES256)
	source := &rotating{}
	issuer := token.Issuer{Name: otherIssuer, Keys: source}
	v := mustVerifier(t, issuer)
	w := &world{verifier: v, signers: []*signer{s}}
	raw := s.mint(head(s).String(), others().String())
	expect := func(want token.Reason) {
		t.Helper()
		id, err := v.Authenticate(t.Context(), raw, &token.Policy{}, allClear)
		if want != "" {
			w.refused(t, raw, id, err, want)
		} else if err != nil {
			t.Errorf("refused: %v", err)
		}
	}
	expect(token.ReasonUnknownKey) // no set yet
	source.set.Store(mustKeys(t, s).Set())
	expect("")
	source.set.Store(mustKeys(t).Set())
	expect(token.ReasonUnknownKey)
	source.set.Store(mustKeys(t, s).Set())
	if err := v.Trust(nil); err != nil {
		t.Fatal(err)
	}
	expect(token.ReasonIssuer)
	if err := v.Trust([]token.Issuer{issuer, {}}); err == nil {
		t.Error("a nameless issuer was taken")
	}
	expect(token.ReasonIssuer) // a faulty list changes nothing
	if err := v.Trust([]token.Issuer{issuer}); err != nil {
		t.Fatal(err)
	}
	expect("")
}

// TestTrustWhileVerifying is for the race detector: whoever is trusted before
// and after a change is never refused during it.
func TestTrustWhileVerifying(t *testing.T) {
	s := mustSigner(t, "kid-ed", keys.EdDSA)
	issuer := token.Issuer{Name: otherIssuer, Keys: mustKeys(t, s)}
	v := mustVerifier(t, issuer)
	raw := s.mint(head(s).String(), others().String())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 100 {
				if _, err := v.Authenticate(t.Context(), raw, &token.Policy{}, allClear); err != nil {
					t.Errorf("refused: %v", err)
				}
			}
		})
	}
	for range 100 {
		if err := v.Trust([]token.Issuer{issuer, {Name: ownIssuer, Own: true, Keys: issuer.Keys}}); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
}

// TestRefuseAudience: with it a token that names any audience is refused, where none
// is configured; SimpleJWT ignores it.
func TestRefuseAudience(t *testing.T) {
	own := mustSigner(t, "kid-es", keys.ES256)
	for name, row := range map[string]struct {
		refuse    bool
		audiences []string
		claims    doc
		want      bool
	}{
		"none, none":            {true, nil, claims().without("aud"), true},
		"one, none configured":  {true, nil, claims(), false},
		"ignored":               {false, nil, claims(), true},
		"the configured one":    {true, []string{"shop"}, claims(), true},
		"another":               {true, []string{"other"}, claims(), false},
		"none, one configured":  {true, []string{"shop"}, claims().without("aud"), false},
		"ignored, not the form": {false, nil, claims().with("aud", "[]"), false},
	} {
		v := mustVerifier(t, token.Issuer{Name: ownIssuer, Own: true, Keys: mustKeys(t, own), Audiences: row.audiences, RefuseAudience: row.refuse})
		_, err := v.Authenticate(t.Context(), own.mint(head(own).String(), row.claims.String()), &token.Policy{}, allClear)
		refused, _ := errors.AsType[*token.Refusal](err)
		if (err == nil) != row.want || refused != nil && refused.Reason != token.ReasonAudience {
			t.Errorf("%s: %v", name, err)
		}
	}
}
