package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tollgate/issuer/store"
)

// mustFollow reads what is behind a position, and returns what the lines tell of.
func (b adminBox) mustFollow(t *testing.T, f store.AuditFilter, after string) (out []string, next string) {
	t.Helper()
	for range 1000 {
		lines, next, err := b.audit.Follow(t.Context(), f, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			out = append(out, l.Action+" "+l.Outcome)
		}
		if next == after {
			return out, next
		}
		after = next
	}
	t.Fatal("it never stands still")
	return nil, ""
}

func (b adminBox) mustPosition(t *testing.T) string {
	t.Helper()
	p, err := b.audit.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func want(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// TestFollow: what is written behind a position comes once, the oldest first, and an
// action that is over is told by its outcome alone.
func TestFollow(t *testing.T) {
	onEachAdmin(t, store.AuditSettings{}, func(t *testing.T, b adminBox) {
		start := b.mustPosition(t)
		b.mustNote(t, store.Line{Action: "login", Actor: "ada", Outcome: store.OutcomeDone})
		b.pass(time.Millisecond)
		l := b.mustBegin(t, store.Line{Action: "key.rotate", Actor: "ops"})
		b.pass(time.Millisecond)
		b.mustNote(t, store.Line{Action: "login", Actor: "bob", Outcome: store.OutcomeRefused})
		// The intent is young: what came of it is waited for, and so does what is behind it.
		got, next := b.mustFollow(t, store.AuditFilter{}, start)
		want(t, "an action begins", got, "login done")
		b.pass(time.Millisecond)
		b.mustSettle(t, l, store.OutcomeDone)
		got, next = b.mustFollow(t, store.AuditFilter{}, next)
		want(t, "it is over", got, "login refused", "key.rotate done")
		got, _ = b.mustFollow(t, store.AuditFilter{}, next)
		want(t, "nothing more", got)

		long := b.mustBegin(t, store.Line{Action: "session.end_all", Actor: "ops"})
		b.pass(2100 * time.Millisecond)
		lines, after, err := b.audit.Follow(t.Context(), store.AuditFilter{}, next)
		if err != nil || len(lines) != 1 || lines[0].Outcome != store.OutcomeBegun || lines[0].ID != long.ID {
			t.Errorf("an action that takes long: %+v, %v", lines, err)
		}
		b.mustSettle(t, long, store.OutcomeFailed)
		lines, _, err = b.audit.Follow(t.Context(), store.AuditFilter{}, after)
		if err != nil || len(lines) != 1 || lines[0].Outcome != store.OutcomeFailed || lines[0].ID != long.ID {
			t.Errorf("its end: %+v, %v", lines, err)
		}
		for filter, all := range map[store.AuditFilter][]string{
			{Actor: "ada"}:                     {"login done"},
			{Action: "session"}:                {"session.end_all failed"},
			{Outcome: store.OutcomeRefused}:    {"login refused"},
			{Target: "nobody", Limit: 1}:       nil,
			{Limit: 1, Actor: "ops"}:           {"key.rotate done", "session.end_all failed"},
			{Cursor: "not looked at, of Read"}: {"login done", "login refused", "key.rotate done", "session.end_all failed"},
		} {
			got, _ := b.mustFollow(t, filter, start)
			want(t, fmt.Sprintf("%+v", filter), got, all...)
		}
		for _, bad := range []string{"", "x", "bm93", "MCA", "KyAr"} {
			if _, _, err := b.audit.Follow(t.Context(), store.AuditFilter{}, bad); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("position %q: %v", bad, err)
			}
		}
	})
}

// TestFollowMuch: more than is read at once, by small pages, loses nothing and tells
// nothing twice.
func TestFollowMuch(t *testing.T) {
	onEachAdmin(t, store.AuditSettings{}, func(t *testing.T, b adminBox) {
		start := b.mustPosition(t)
		var all []string
		for i := range 700 {
			name := fmt.Sprintf("login.%d", i)
			if i%7 == 0 {
				l := b.mustBegin(t, store.Line{Action: name})
				b.mustSettle(t, l, store.OutcomeDone)
			} else {
				b.mustNote(t, store.Line{Action: name, Outcome: store.OutcomeDone})
			}
			all = append(all, name+" done")
		}
		got, _ := b.mustFollow(t, store.AuditFilter{Limit: 60}, start)
		slices.Sort(got) // lines of one millisecond in the two streams have no order
		slices.Sort(all)
		want(t, "all", got, all...)
	})
}
