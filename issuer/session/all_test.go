package session

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"tollgate/internal/testkit"
)

// everybody reads all pages of All and says how often each session came.
func everybody(t *testing.T, b box, limit int) map[string]int {
	t.Helper()
	seen, cursor := map[string]int{}, ""
	for pages := 0; ; pages++ {
		page, next, err := b.All(t.Context(), limit, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page {
			seen[s.SID]++
			if s.Subject == "" || s.State == "" {
				t.Errorf("not read: %+v", s)
			}
		}
		if cursor = next; cursor == "" {
			return seen
		}
		if pages > 1000 {
			t.Fatal("pages without end")
		}
	}
}

// TestAll: every session of every subject comes, and nothing else that is in Redis.
func TestAll(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		if seen := everybody(t, b, 10); len(seen) != 0 {
			t.Errorf("an empty store has %v", seen)
		}
		want := map[string]bool{}
		for i := range 40 {
			want[b.mustStart(t, fmt.Sprint("user-", i%7)).SID] = true
		}
		for i := range 300 { // somebody else's, and records that look alike
			if err := b.client.MSet(t.Context(), fmt.Sprint("other:", i), "x", fmt.Sprint("t:s:x", i), "x").Err(); err != nil {
				t.Fatal(err)
			}
		}
		ended := slices.Sorted(maps.Keys(want))[0]
		if err := b.End(t.Context(), ended, "why", "who"); err != nil {
			t.Fatal(err)
		}
		for _, limit := range []int{1, 10, 1000} {
			seen := everybody(t, b, limit)
			if len(seen) != len(want) {
				t.Errorf("by %d: %d sessions, want %d", limit, len(seen), len(want))
			}
			for sid := range seen {
				if !want[sid] {
					t.Errorf("by %d: a strange session %s", limit, sid)
				}
			}
		}
		for _, cursor := range []string{"x", "0", "0.x", "-1.0", "1.0", "0.-1", ".", "0.0.0"} {
			if _, _, err := b.All(t.Context(), 10, cursor); !errors.Is(err, ErrInvalid) {
				t.Errorf("cursor %q: %v", cursor, err)
			}
		}
	})
}

// TestAllOfACluster: the pages go through every server.
func TestAllOfACluster(t *testing.T) {
	cluster := testkit.MustStartCluster(t)
	b := mustBox(t, cluster.MustClient(t), ordinary())
	want := map[string]bool{}
	for i := range 60 {
		want[b.mustStart(t, fmt.Sprint("user-", i)).SID] = true
	}
	if seen := everybody(t, b, 7); len(seen) != len(want) {
		t.Errorf("%d sessions, want %d", len(seen), len(want))
	}
	if _, _, err := b.All(t.Context(), 10, "99.0"); !errors.Is(err, ErrInvalid) {
		t.Errorf("a server that is not there: %v", err)
	}
}
