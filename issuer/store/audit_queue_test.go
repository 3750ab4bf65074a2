package store_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/issuer/store"
)

// TestAuditQueueCollects: what is held back is asked for every ten seconds, by nobody but
// the loop of the queue, and a last time behind all that was noted.
func TestAuditQueueCollects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var written []string
		q := store.WithWriter(func(_ context.Context, lines []store.Line) error {
			if len(lines) > 200 {
				t.Errorf("%d lines at once", len(lines))
			}
			for _, l := range lines {
				written = append(written, l.Actor)
			}
			return nil
		})
		asked := 0
		q.Collect(func(now time.Time, last bool) []store.Line {
			asked++
			if now.Sub(began) < 20*time.Second && !last {
				return nil
			}
			return []store.Line{{Actor: strconv.Itoa(int(now.Sub(began) / time.Second))}}
		})
		q.Collect(func(_ time.Time, last bool) []store.Line {
			if !last {
				return nil
			}
			return slices.Repeat([]store.Line{{Actor: "many"}}, 450)
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- q.Run(ctx) }()
		time.Sleep(35 * time.Second)
		synctest.Wait()
		if !slices.Equal(written, []string{"20", "30"}) || asked != 3 {
			t.Errorf("asked %d times, wrote %q", asked, written)
		}
		q.Note(store.Line{Actor: "noted"})
		cancel()
		if err := <-done; err != nil || len(written) != 2+1+1+450 || !slices.Equal(written[2:5], []string{"noted", "35", "many"}) {
			t.Errorf("%v, %d lines, %q", err, len(written), written[:min(6, len(written))])
		}
	})
	var none *store.AuditQueue
	none.Collect(func(time.Time, bool) []store.Line { return nil })
}
