package session

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

var hex32 = regexp.MustCompile(`^[0-9a-f]{32}$`)

func TestStart(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		birth := b.mustBirth(t)
		before := b.client.Time(t.Context()).Val().Truncate(time.Second)
		p, err := b.Start(t.Context(), Start{Birth: birth, Subject: "7", Username: "ada", Address: "192.0.2.1", Agent: "curl/8"})
		if err != nil {
			t.Fatal(err)
		}
		after := b.client.Time(t.Context()).Val()
		at := p.Access.IssuedAt
		if at.Before(before) || at.After(after) || at.Nanosecond() != 0 || at.Location() != time.UTC {
			t.Errorf("iat %v, want a whole second of Redis's clock in [%v, %v]", at, before, after)
		}
		want := Pair{
			SID: p.SID, Generation: 1, Subject: "7",
			Refresh: Stamp{JTI: p.Refresh.JTI, IssuedAt: at, ExpiresAt: at.Add(24 * time.Hour)},
			Access:  Stamp{JTI: p.Access.JTI, IssuedAt: at, ExpiresAt: at.Add(5 * time.Minute)},
		}
		if diff := cmp.Diff(want, p); diff != "" {
			t.Errorf("Start (-want +got):\n%s", diff)
		}
		if !hex32.MatchString(p.Access.JTI) || !hex32.MatchString(p.Refresh.JTI) || p.Access.JTI == p.Refresh.JTI {
			t.Errorf("jtis %q and %q, want two of 32 hexadecimal digits", p.Access.JTI, p.Refresh.JTI)
		}
		if got, ok := Birth(p.SID); !ok || got != birth {
			t.Errorf("the sid carries birth %d, %v; want %d", got, ok, birth)
		}
		s, err := b.Get(t.Context(), p.SID)
		wantSession := Session{
			SID: p.SID, Subject: "7", Username: "ada", Address: "192.0.2.1", Agent: "curl/8",
			Created: at, ExpiresAt: p.Refresh.ExpiresAt, Generation: 1, State: StateLive,
			Minted: []Minted{{Stamp: p.Refresh, Refresh: true, Generation: 1}, {Stamp: p.Access, Generation: 1}},
			Line:   []Refreshed{{Generation: 1, JTI: p.Refresh.JTI, IssuedAt: at, Address: "192.0.2.1", Agent: "curl/8"}},
		}
		if diff := cmp.Diff(wantSession, s); err != nil || diff != "" {
			t.Errorf("Get: %v (-want +got):\n%s", err, diff)
		}
		if sid, err := b.ByJTI(t.Context(), p.Refresh.JTI); err != nil || sid != p.SID {
			t.Errorf("ByJTI of the refresh token = %q, %v", sid, err)
		}
		if _, err := b.ByJTI(t.Context(), p.Access.JTI); !errors.Is(err, ErrNotFound) {
			t.Errorf("ByJTI of the access token = %v, want ErrNotFound", err)
		}
	})
}

func TestStartCapsEveryLife(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		access, refresh, max time.Duration
		wantA, wantR         time.Duration
	}{
		{"both inside", time.Minute, time.Hour, 2 * time.Hour, time.Minute, time.Hour},
		{"refresh cut", time.Minute, 3 * time.Hour, 2 * time.Hour, time.Minute, 2 * time.Hour},
		{"both cut", 3 * time.Hour, 4 * time.Hour, 2 * time.Hour, 2 * time.Hour, 2 * time.Hour},
		{"access longer than refresh", time.Hour, time.Minute, 2 * time.Hour, time.Hour, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := ordinary()
			s.AccessTTL, s.RefreshTTL, s.MaxTTL = tt.access, tt.refresh, tt.max
			onEach(t, s, func(t *testing.T, b box) {
				begun := time.Now()
				p := b.mustStart(t, "7")
				if a := p.Access.ExpiresAt.Sub(p.Access.IssuedAt); a != tt.wantA {
					t.Errorf("access lives %v, want %v", a, tt.wantA)
				}
				if r := p.Refresh.ExpiresAt.Sub(p.Refresh.IssuedAt); r != tt.wantR {
					t.Errorf("refresh lives %v, want %v", r, tt.wantR)
				}
				last := max(tt.wantA, tt.wantR) + s.Leeway
				if ttl := b.client.TTL(t.Context(), b.names.session(p.SID)).Val(); ttl > last || ttl < last-2*time.Second-time.Since(begun) {
					t.Errorf("record's TTL %v, want %v", ttl, last)
				}
			})
		})
	}
}

// A cut-off between the birth and the start covers the session; a log-in after it
// does not suffer from it, not even in the same second.
func TestStartAgainstRevocations(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		for range 20 {
			early := b.mustBirth(t)
			if _, err := b.EndAll(t.Context(), "7", "logout all", "7"); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Start(t.Context(), Start{Birth: early, Subject: "7"}); !errors.Is(err, ErrEnded) {
				t.Errorf("born before the cut-off = %v, want ErrEnded", err)
			}
			if _, err := b.Start(t.Context(), Start{Birth: early, Subject: "8"}); err != nil {
				t.Errorf("another subject = %v", err)
			}
			if v := b.verdict(t, b.mustStart(t, "7")); v.State != revocation.Clear {
				t.Errorf("a log-in right after the cut-off = %v", v)
			}
		}
		_, err := b.withRevoker(deadRevoker{}).Start(t.Context(), Start{Birth: b.mustBirth(t), Subject: "7"})
		if !errors.Is(err, ErrUnavailable) || !errors.Is(err, testkit.ErrCut) {
			t.Errorf("revocations cannot tell = %v, want ErrUnavailable and its cause", err)
		}
	})
}

func TestStartRefusesWhatItCannotKeep(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		for name, start := range map[string]Start{
			"no birth":     {Subject: "7"},
			"no subject":   {Birth: 1},
			"long subject": {Birth: 1, Subject: strings.Repeat("x", 256)},
		} {
			if _, err := b.Start(t.Context(), start); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s = %v, want ErrInvalid", name, err)
			}
		}
		p, err := b.Start(t.Context(), Start{
			Birth: b.mustBirth(t), Subject: "{7}:x", Username: "ada\x00", Address: strings.Repeat("1", 100), Agent: strings.Repeat("é", 400) + "\xff",
		})
		if err != nil {
			t.Fatal(err)
		}
		list, err := b.List(t.Context(), "{7}:x")
		if err != nil || len(list) != 1 || list[0].SID != p.SID {
			t.Fatalf("List = %v, %v", list, err)
		}
		s := list[0]
		if s.Username != "ada " || len(s.Address) != maxAddress || len(s.Agent) != maxAgent || !utf8.ValidString(s.Agent) {
			t.Errorf("kept %q, %d bytes of address, %d of agent", s.Username, len(s.Address), len(s.Agent))
		}
	})
}

func TestClip(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{
		{"", 4, ""},
		{"abcd", 4, "abcd"},
		{"abcde", 4, "abcd"},
		{"abcé", 4, "abc"},
		{"a\r\nb", 9, "a  b"},
		{"a\xffb", 9, "a\uFFFDb"},
		{"\xff\xff", 2, ""},
		{"abc", 0, ""},
	} {
		if got := clip(tt.in, tt.n); got != tt.want {
			t.Errorf("clip(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

func TestSettingsValidate(t *testing.T) {
	if err := ordinary().Validate(); err != nil {
		t.Errorf("the ordinary settings: %v", err)
	}
	err := Settings{AccessTTL: time.Millisecond, Grace: -1, Leeway: -1}.Validate()
	for _, word := range []string{"access", "refresh", "longest session", "grace", "leeway"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("Validate = %v, want it to name the %s", err, word)
		}
	}
}
