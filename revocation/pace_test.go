package revocation

import (
	"context"
	"testing"
	"time"
)

// paced has a pace see batches of the size that it asks for, of which each takes the way
// and so much for each entry, and returns it.
func paced(way, each time.Duration, batches int) *pace {
	p, now := &pace{}, time.Unix(1_700_000_000, 0)
	p.took(0, way, now)
	for range batches {
		p.took(p.size(), way+each*time.Duration(p.size()), now)
	}
	return p
}

// TestPaceFindsItsSize: batches take Redis about as long as they may, however fast it is
// and however far away, and never become very small or very large.
func TestPaceFindsItsSize(t *testing.T) {
	t.Parallel()
	const us = time.Microsecond
	for name, tc := range map[string]struct {
		way, each   time.Duration
		least, most int
	}{
		"near":            {100 * us, 15 * us, 190, 210},
		"far away":        {30 * time.Millisecond, 15 * us, 190, 210},
		"slow":            {100 * us, time.Millisecond, mergeBatch, mergeBatch},
		"slower than any": {0, time.Minute, mergeBatch, mergeBatch},
		"fast":            {100 * us, 10 * time.Nanosecond, mergeMost, mergeMost},
		"takes no time":   {0, 0, mergeMost, mergeMost},
	} {
		t.Run(name, func(t *testing.T) {
			if got := paced(tc.way, tc.each, 50).size(); got < tc.least || got > tc.most {
				t.Errorf("%d entries, want %d to %d", got, tc.least, tc.most)
			}
		})
	}
	if got := (&pace{}).size(); got != mergeBatch {
		t.Errorf("begins with %d", got)
	}
}

// TestPacePauses: a pause is as long as the batch took, unless that was much longer than
// they usually take; and not longer than mergePause.
func TestPacePauses(t *testing.T) {
	t.Parallel()
	const each = 15 * time.Microsecond
	now := time.Unix(1_700_000_000, 0)
	for name, tc := range map[string]struct {
		p       *pace
		entries int
		d, want time.Duration
	}{
		"the first":                {&pace{}, 64, 5 * time.Millisecond, 5 * time.Millisecond},
		"an empty one":             {paced(0, each, 20), 0, time.Millisecond, time.Millisecond},
		"as ever":                  {paced(0, each, 20), 200, 200 * each, 200 * each},
		"faster":                   {paced(0, each, 20), 200, time.Millisecond, time.Millisecond},
		"held up":                  {paced(0, each, 20), 200, time.Second, 200 * each},
		"a small one":              {paced(0, each, 20), 5, 9 * time.Millisecond, 9 * time.Millisecond},
		"a small one, held up":     {paced(0, each, 20), 5, time.Second, mergePause},
		"each is slow":             {paced(0, 80*time.Microsecond, 20), 100, 8 * time.Millisecond, 8 * time.Millisecond},
		"each is slower than that": {paced(0, time.Second, 20), 64, time.Minute, mergePause},
	} {
		t.Run(name, func(t *testing.T) {
			before := tc.p.size()
			tc.p.took(tc.entries, tc.d, now)
			if got := tc.p.next.Sub(now); got != tc.want {
				t.Errorf("pause of %s, want %s", got, tc.want)
			}
			if after := tc.p.size(); tc.entries < mergeBatch && after != before {
				t.Errorf("%d entries after it, %d before", after, before)
			}
		})
	}
}

// TestPaceSlowsDown: when Redis has become slower for good, pauses and sizes follow.
func TestPaceSlowsDown(t *testing.T) {
	t.Parallel()
	p, now := paced(0, 15*time.Microsecond, 50), time.Unix(1_700_000_000, 0)
	for range paceLast {
		p.took(p.size(), 100*time.Microsecond*time.Duration(p.size()), now)
	}
	d := 100 * time.Microsecond * time.Duration(p.size())
	p.took(p.size(), d, now)
	if got := p.next.Sub(now); got != d || p.size() > 100 {
		t.Errorf("pause of %s after %s, then %d entries", got, d, p.size())
	}
}

func TestPaceWaits(t *testing.T) {
	t.Parallel()
	p := &pace{}
	if !p.wait(t.Context()) {
		t.Error("the first batch does not go")
	}
	p.next = time.Now().Add(20 * time.Millisecond)
	if !p.wait(t.Context()) || time.Now().Before(p.next) {
		t.Error("sent too soon")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, next := range map[string]time.Time{"due": {}, "not due": time.Now().Add(time.Hour)} {
		if p.next = next; p.wait(ctx) {
			t.Errorf("%s: sent after the end", name)
		}
	}
}
