package revocation_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate/revocation"
	"tollgate/revocation/revocationtest"
)

// An entry outlives what it ends by the leeway, whatever its end is said to be: an
// entry that dies with the token un-revokes it for the leeway. Its life is reckoned
// inside the script by Redis's own clock.
func TestMustHold21_EntriesOutliveTokens(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join("lua", "*.lua"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	for _, file := range scripts {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if upper := strings.ToUpper(string(text)); strings.Contains(upper, "EXPIREAT") || strings.Contains(upper, "'EXAT'") || strings.Contains(upper, "'PXAT'") {
			t.Errorf("%s sets an end by a clock that is not Redis's", file)
		}
	}
	onBoth(t, func(t *testing.T, k kit) {
		settings := revocationtest.Settings()
		s := mustOpen(t, k.client, settings)
		now := time.Now()
		for _, kind := range []revocation.Kind{revocation.KindJTI, revocation.KindSession, revocation.KindSubject, revocation.KindAll, revocation.KindKey} {
			for name, end := range map[string]time.Time{"none": {}, "long past": now.Add(-time.Hour), "just past": now.Add(-time.Second), "now": now, "soon": now.Add(time.Second), "later": now.Add(time.Hour)} {
				value := string(kind) + name
				if kind == revocation.KindSession {
					value = revocation.NewSessionID(now.UnixMicro())
				}
				order := revocation.Order{Kind: kind, Value: value, ExpiresAt: end}
				if kind == revocation.KindAll {
					order.Value, value = "", ""
				}
				if _, err := s.Revoke(t.Context(), order); err != nil {
					t.Errorf("%s, end %s: %v", kind, name, err)
					continue
				}
				left, err := k.client.PTTL(t.Context(), s.EntryKey(revocation.DigestOf(settings.Own, kind, value))).Result()
				least := time.Second / 2 // of a whole one, some of which has passed
				if rest := time.Until(end); !end.IsZero() && rest > 0 {
					least = rest + settings.Leeway - time.Second
				}
				switch {
				case err != nil || left == -2:
					t.Errorf("%s, end %s: PTTL %v, %v", kind, name, left, err)
				case kind == revocation.KindKey:
					if left != -1 {
						t.Errorf("%s, end %s: a key's entry ends in %v", kind, name, left)
					}
				case left < least:
					t.Errorf("%s, end %s: %v left, want at least %v", kind, name, left, least)
				}
			}
		}
	})
}

// The first look-up after a loss of the store notices it, and no token of before is
// accepted because its entry is gone.
func TestMustHold23_LossIsNoticed(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		s := mustOpen(t, k.client, revocationtest.Settings())
		birth, err := s.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		old := &revocation.Token{Issuer: revocationtest.Settings().Own, Own: true, JTI: "j", SID: revocation.NewSessionID(birth), Subject: "u", KeyID: "k", Born: birth, IssuedAt: birth / 1e6}
		mustRevoke(t, s, revocation.KindJTI, "j")
		if v := s.Check(t.Context(), old); v.State != revocation.Revoked {
			t.Fatalf("before: %+v", v)
		}
		k.client.FlushAll(t.Context()) //nolint:forbidigo // the test's own server: the loss is what is tested
		for _, when := range []string{"the first look-up", "the next"} {
			if v := s.Check(t.Context(), old); v.State == revocation.Clear {
				t.Errorf("%s after the loss says %+v", when, v)
			}
		}
		birth, err = s.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		young := *old
		young.JTI, young.SID, young.Born, young.IssuedAt = "j2", revocation.NewSessionID(birth), birth, birth/1e6
		if v := s.Check(t.Context(), &young); v.State != revocation.Clear {
			t.Errorf("a token born after the loss: %+v", v)
		}
	})
}
