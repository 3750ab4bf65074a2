package session

import (
	"testing"
	"time"
)

// TestCountSigned: live sessions count by when their present refresh token was
// made; ended ones do not.
func TestCountSigned(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		begin := time.Now().Add(-time.Minute)
		for _, subject := range []string{"1", "2", "3"} {
			pair := b.mustStart(t, subject)
			if subject == "3" {
				if err := b.End(t.Context(), pair.SID, "test", "test"); err != nil {
					t.Fatal(err)
				}
			}
			if subject == "2" {
				b.mustRotate(t, pair)
			}
		}
		for _, c := range []struct {
			from, until time.Duration // after begin
			want        int
		}{{0, time.Hour, 2}, {0, 30 * time.Second, 0}, {time.Hour, 2 * time.Hour, 0}} {
			n, err := b.CountSigned(t.Context(), begin.Add(c.from), begin.Add(c.until))
			if err != nil || n != c.want {
				t.Errorf("from %s until %s: %d %v, want %d", c.from, c.until, n, err, c.want)
			}
		}
	})
}
