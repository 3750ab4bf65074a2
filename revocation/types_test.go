package revocation_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tollgate/revocation"
)

func TestZeroVerdictLetsNothingThrough(t *testing.T) {
	if (revocation.Verdict{}).State != revocation.Unknown {
		t.Error("a verdict that nobody filled in is not Unknown")
	}
}

func TestNames(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{revocation.Clear.String(), "clear"}, {revocation.Revoked.String(), "revoked"}, {revocation.Unknown.String(), "unknown"},
		{revocation.CauseNone.String(), "none"}, {revocation.CauseBroken.String(), "broken"}, {revocation.CauseUnreachable.String(), "unreachable"},
		{revocation.CauseLost.String(), "lost"}, {revocation.CauseLoading.String(), "loading"},
	} {
		if tc.got != tc.want {
			t.Errorf("%q, want %q", tc.got, tc.want)
		}
	}
}

func TestParseKind(t *testing.T) {
	for _, k := range revocation.Kinds() {
		if got, err := revocation.ParseKind(string(k)); err != nil || got != k {
			t.Errorf("%s: %s, %v", k, got, err)
		}
	}
	for _, s := range []string{"", "JTI", " jti", "token", "jti\x00"} {
		if got, err := revocation.ParseKind(s); !errors.Is(err, revocation.ErrInvalid) || got != "" {
			t.Errorf("%q: %s, %v", s, got, err)
		}
	}
}

func TestSettings(t *testing.T) {
	for _, tc := range []struct {
		name string
		s    revocation.Settings
		ok   bool
	}{
		{"zero", revocation.Settings{}, true},
		{"usual", revocation.Settings{Leeway: 10 * time.Second, AccessLife: time.Minute, SessionLife: time.Hour}, true},
		{"negative leeway", revocation.Settings{Leeway: -1}, false},
		{"leeway of two days", revocation.Settings{Leeway: 48 * time.Hour}, false},
		{"negative access life", revocation.Settings{AccessLife: -1}, false},
		{"session of a century", revocation.Settings{SessionLife: 100 * 365 * 24 * time.Hour}, false},
	} {
		if err := tc.s.Validate(); (err == nil) != tc.ok || (err != nil && !errors.Is(err, revocation.ErrInvalid)) {
			t.Errorf("%s: %v", tc.name, err)
		}
		// A memory store cannot refuse its settings; its first order does.
		_, err := revocation.NewMemory(tc.s, nil).Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Issuer: "i", Value: "j"})
		if (err == nil) != tc.ok {
			t.Errorf("%s: revoke: %v", tc.name, err)
		}
	}
}

// TestOrderWithoutIssuer: without an own issuer, nothing is guessed.
func TestOrderWithoutIssuer(t *testing.T) {
	_, err := revocation.NewMemory(revocation.Settings{}, nil).Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: "j"})
	if !errors.Is(err, revocation.ErrInvalid) {
		t.Errorf("revoke: %v", err)
	}
}

func TestSessionID(t *testing.T) {
	seen := map[string]bool{}
	for _, birth := range []int64{1, 1_700_000_000_123_456, 1<<63 - 1} {
		for range 3 {
			sid := revocation.NewSessionID(birth)
			if got, ok := revocation.Birth(sid); !ok || got != birth || seen[sid] {
				t.Errorf("%q: %d, %t", sid, got, ok)
			}
			seen[sid] = true
		}
	}
	good := revocation.NewSessionID(1_700_000_000_123_456)
	for _, sid := range []string{
		"", "x", good[1:], good + "A", good + "=", strings.Repeat("A", len(good)), // birth 0
		"_" + good[1:], // a birth below 0
		good[:len(good)-1] + "+", "\n" + good[1:], good[:5] + "\n" + good[6:],
	} {
		if birth, ok := revocation.Birth(sid); ok {
			t.Errorf("%q has the birth %d", sid, birth)
		}
	}
}

// TestMemorySweeps: what has ended does not stay in memory.
func TestMemorySweeps(t *testing.T) {
	c := newClock()
	m := revocation.NewMemory(revocation.Settings{Own: "i"}, c.Now)
	for range 20 {
		for range 1000 {
			mustRevoke(t, m, revocation.KindJTI, nonce(t, m))
		}
		c.Advance(time.Hour)
	}
	if n := m.Len(); n > 3000 {
		t.Errorf("%d entries are held", n)
	}
}
