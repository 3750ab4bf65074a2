package session

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestLine: the current refresh token and the last that were spent, with who got each,
// whatever a client calls itself.
func TestLine(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p, err := b.Start(t.Context(), Start{Birth: b.mustBirth(t), Subject: "7", Address: "192.0.2.1", Agent: "curl/8"})
		if err != nil {
			t.Fatal(err)
		}
		want := []Refreshed{{Generation: 1, JTI: p.Refresh.JTI, IssuedAt: p.Refresh.IssuedAt, Address: "192.0.2.1", Agent: "curl/8"}}
		long := strings.Repeat("ü", 300)
		for i, from := range [][2]string{
			{"192.0.2.1", "curl/8"}, {"2001:db8::7", "="}, {"~", "~~"}, {"", ""}, {"=", "a\x1fb\x1ec"}, {"192.0.2.1", long}, {"x", "y"}, {"192.0.2.1", "curl/8"}, {"z", "curl/8"}, {"192.0.2.9", "last"},
		} {
			b.mustAge(t, p.SID, time.Minute)
			for j := range want { // their times were moved as well
				want[j].IssuedAt, want[j].SpentAt = time.Time{}, time.Time{}
			}
			p = b.mustRotate(t, p, From(from[0], from[1]))
			agent := strings.NewReplacer("\x1f", " ", "\x1e", " ").Replace(from[1])
			if from[1] == long {
				agent = strings.Repeat("ü", 50)
			}
			want = append([]Refreshed{{Generation: int64(i + 2), JTI: p.Refresh.JTI, Address: from[0], Agent: agent}}, want...)
			want = want[:min(len(want), 1+maxSpent)]
			s, err := b.Get(t.Context(), p.SID)
			if err != nil {
				t.Fatal(err)
			}
			spent := s.Line[0].IssuedAt
			for n := range s.Line {
				one := &s.Line[n]
				if one.IssuedAt.IsZero() || one.SpentAt.IsZero() != (n == 0) || n == 1 && !one.SpentAt.Equal(spent) {
					t.Errorf("times of %+v", one)
				}
				one.IssuedAt, one.SpentAt = time.Time{}, time.Time{}
			}
			if diff := cmp.Diff(want, s.Line); diff != "" {
				t.Fatalf("after %q (-want +got):\n%s", from, diff)
			}
		}
	})
}

// TestLineThatIsNone: a record that was damaged is an error, and no panic.
func TestLineThatIsNone(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustRotate(t, b.mustStart(t, "7"))
		for i, line := range []string{"x", "a\x1f1\x1f1\x1f=", "a\x1ftwo\x1f1\x1f=\x1f=", "a\x1f1\x1ftwo\x1f=\x1f=", strings.Repeat("\x1f", 4)} {
			b.client.HSet(t.Context(), b.names.session(p.SID), "l1", line)
			if s, err := b.Get(t.Context(), p.SID); err == nil {
				t.Errorf("%d: %s", i, fmt.Sprint(s.Line))
			}
		}
		p = b.mustRotate(t, b.mustStart(t, "8"))
		b.client.HDel(t.Context(), b.names.session(p.SID), "from")
		if s, err := b.Get(t.Context(), p.SID); err == nil {
			t.Errorf("nobody has the current one: %s", fmt.Sprint(s.Line))
		}
	})
}
