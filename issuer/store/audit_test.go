package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/issuer/store"
)

func (b adminBox) mustBegin(t *testing.T, l store.Line) store.Line {
	t.Helper()
	if err := b.audit.Begin(t.Context(), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

func (b adminBox) mustSettle(t *testing.T, l store.Line, outcome string) {
	t.Helper()
	l.Outcome = outcome
	if err := b.audit.Settle(t.Context(), l); err != nil {
		t.Fatal(err)
	}
}

func (b adminBox) mustNote(t *testing.T, lines ...store.Line) {
	t.Helper()
	if err := b.audit.Note(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
}

// mustRead reads page by page, and returns what the lines tell of.
func (b adminBox) mustRead(t *testing.T, f store.AuditFilter) []string {
	t.Helper()
	var out []string
	for range 10_000 {
		lines, next, err := b.audit.Read(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			out = append(out, l.Action+" "+l.Outcome)
		}
		if next == "" {
			return out
		}
		f.Cursor = next
	}
	t.Fatal("there is always one more page")
	return nil
}

// TestAudit: every field comes back, intents give way to outcomes, both streams are
// one list, whatever the size of a page.
func TestAudit(t *testing.T) {
	onEachAdmin(t, store.AuditSettings{}, func(t *testing.T, b adminBox) {
		whole := store.Line{
			Actor: "ada", ActorID: "0123", Role: "admin", Session: "s", Action: "key.revoke", Kind: "key", Target: "kid", Remote: "::1",
			Via: "api", Detail: "d", RequestID: "r", Count: 3,
		}
		begun := b.mustBegin(t, whole)
		lines, _, err := b.audit.Read(t.Context(), store.AuditFilter{})
		if err != nil || len(lines) != 1 || lines[0].Outcome != store.OutcomeBegun || lines[0].ID != begun.ID || !strings.HasPrefix(begun.ID, "a") {
			t.Fatalf("%+v, %v", lines, err)
		}
		b.mustSettle(t, begun, store.OutcomeDone)
		lines, _, err = b.audit.Read(t.Context(), store.AuditFilter{})
		if err != nil || len(lines) != 1 || time.Since(lines[0].At).Abs() > time.Minute {
			t.Fatalf("%+v, %v", lines, err)
		}
		got, want := lines[0], begun
		want.Outcome, want.At = store.OutcomeDone, got.At
		if got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		want0 := []string{"key.revoke done"}
		for i := range 9 {
			b.pass(time.Millisecond)
			b.mustNote(t, store.Line{Action: fmt.Sprintf("login.%d", i), Outcome: store.OutcomeRefused})
			b.pass(time.Millisecond)
			l := b.mustBegin(t, store.Line{Action: fmt.Sprintf("session.%d", i)})
			b.pass(time.Millisecond)
			want0 = append(want0, fmt.Sprintf("login.%d refused", i))
			if i%3 == 0 {
				want0 = append(want0, fmt.Sprintf("session.%d begun", i))
				continue
			}
			b.mustSettle(t, l, store.OutcomeFailed)
			want0 = append(want0, fmt.Sprintf("session.%d failed", i))
		}
		slices.Reverse(want0)
		for _, size := range []int{1, 2, 3, 7, 100} {
			if got := b.mustRead(t, store.AuditFilter{Limit: size}); !slices.Equal(got, want0) {
				t.Errorf("pages of %d: %v, want %v", size, got, want0)
			}
		}
		if open := b.redis.ZCard(t.Context(), "t:{audit}:open").Val(); open != 3 {
			t.Errorf("%d actions are open, not 3", open)
		}
		if err := b.audit.Settle(t.Context(), store.Line{ID: "e1-1"}); err == nil {
			t.Error("an event was settled")
		}
	})
}

func TestAuditFilters(t *testing.T) {
	onEachAdmin(t, store.AuditSettings{}, func(t *testing.T, b adminBox) {
		b.mustNote(t, store.Line{Action: "login", Actor: "ada", ActorID: "1", Target: "ada", Outcome: store.OutcomeDone})
		b.pass(20 * time.Millisecond)
		middle := b.mustBegin(t, store.Line{Action: "session.end", Actor: "bob", ActorID: "2", Target: "s1"})
		b.mustSettle(t, middle, store.OutcomeDone)
		lines, _, err := b.audit.Read(t.Context(), store.AuditFilter{Limit: 1})
		if err != nil || len(lines) != 1 {
			t.Fatal(lines, err)
		}
		at := lines[0].At
		b.pass(20 * time.Millisecond)
		b.mustNote(t, store.Line{Action: "session.end_all", Actor: "ada", ActorID: "1", Target: "2", Outcome: store.OutcomeRefused})
		for name, c := range map[string]struct {
			filter store.AuditFilter
			want   string
		}{
			"all":            {store.AuditFilter{}, "session.end_all session.end login"},
			"by name":        {store.AuditFilter{Actor: "ada"}, "session.end_all login"},
			"by id":          {store.AuditFilter{Actor: "2"}, "session.end"},
			"action":         {store.AuditFilter{Action: "session.end"}, "session.end"},
			"actions":        {store.AuditFilter{Action: "session"}, "session.end_all session.end"},
			"part of a word": {store.AuditFilter{Action: "sess"}, ""},
			"target":         {store.AuditFilter{Target: "s1"}, "session.end"},
			"outcome":        {store.AuditFilter{Outcome: store.OutcomeDone}, "session.end login"},
			"no intents":     {store.AuditFilter{Outcome: store.OutcomeBegun}, ""},
			"since":          {store.AuditFilter{Since: at}, "session.end_all session.end"},
			"until":          {store.AuditFilter{Until: at}, "login"},
			"between":        {store.AuditFilter{Since: at, Until: at.Add(time.Millisecond)}, "session.end"},
			"two":            {store.AuditFilter{Actor: "ada", Outcome: store.OutcomeRefused}, "session.end_all"},
		} {
			var got []string
			for _, text := range b.mustRead(t, c.filter) {
				action, _, _ := strings.Cut(text, " ")
				got = append(got, action)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s: %v, want %s", name, got, c.want)
			}
		}
	})
	_, client := testkit.MustMini(t)
	for _, cursor := range []string{"x", "!", "KyAr IA", "LSAt", "KCgxIDE"} {
		if _, _, err := store.NewAudit(client, "t:", store.AuditSettings{}).Read(t.Context(), store.AuditFilter{Cursor: cursor}); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
}

// TestAuditIsBounded: by length and by age, each stream on its own.
func TestAuditIsBounded(t *testing.T) {
	onEachAdmin(t, store.AuditSettings{Lines: 100, Age: time.Hour}, func(t *testing.T, b adminBox) {
		l := b.mustBegin(t, store.Line{Action: "precious"})
		b.mustSettle(t, l, store.OutcomeDone)
		flood := make([]store.Line, 100)
		for i := range flood {
			flood[i] = store.Line{Action: "login", Outcome: store.OutcomeRefused}
		}
		for range 8 {
			b.mustNote(t, flood...)
		}
		if n := b.redis.XLen(t.Context(), "t:{audit}:events").Val(); n < 100 || n > 200 {
			t.Errorf("%d events are kept", n)
		}
		if got := b.mustRead(t, store.AuditFilter{Action: "precious"}); len(got) != 1 {
			t.Errorf("the flood has pushed out an action: %v", got)
		}
		for range 400 {
			b.mustBegin(t, store.Line{Action: "action"})
		}
		if n := b.redis.XLen(t.Context(), "t:{audit}:actions").Val(); n < 100 || n > 200 {
			t.Errorf("%d actions are kept", n)
		}
		if !b.mini {
			return
		}
		b.pass(2 * time.Hour)
		b.mustBegin(t, store.Line{Action: "later"})
		if got := b.mustRead(t, store.AuditFilter{Action: "action"}); len(got) != 0 {
			t.Errorf("%d lines are older than an hour", len(got))
		}
		if open := b.redis.ZCard(t.Context(), "t:{audit}:open").Val(); open != 1 {
			t.Errorf("%d are open, not 1", open)
		}
	})
}

// TestAuditHoldsNoSecret: what looks like one is masked, and nothing of a stranger
// moves a terminal.
func TestAuditHoldsNoSecret(t *testing.T) {
	onEachAdmin(t, store.AuditSettings{}, func(t *testing.T, b adminBox) {
		_, raw := b.mustCreate(t, store.AdminToken{Name: "x", Role: "viewer"})
		const jwt = "eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
		const secret = "tgs_0123456789abcdefghijABCDEFGHIJ0123456789_-x"
		l := store.Line{Action: "x", Outcome: store.OutcomeDone}
		for _, field := range []*string{&l.Actor, &l.ActorID, &l.Target, &l.Detail, &l.Session, &l.Kind} {
			*field = "a " + jwt + " b " + raw + " c " + secret + " \x1b[2J\n" + strings.Repeat("ü", 300)
		}
		b.mustNote(t, l)
		begun := b.mustBegin(t, l)
		b.mustSettle(t, begun, store.OutcomeDone)
		lines, _, err := b.audit.Read(t.Context(), store.AuditFilter{})
		if err != nil || len(lines) != 2 {
			t.Fatal(lines, err)
		}
		text := fmt.Sprintf("%+v", lines)
		for _, part := range []string{jwt, jwt[:40], raw, raw[10:40], secret, secret[10:30], "\x1b", "\n"} {
			if strings.Contains(text, part) {
				t.Errorf("%q is in the log: %s", part, text)
			}
		}
		if len(lines[0].Target) > 300 || !strings.HasPrefix(lines[0].Target, "a ***") {
			t.Errorf("target %q", lines[0].Target)
		}
	})
}

// TestAuditQueue: noting waits for nobody, and what is lost is counted.
func TestAuditQueue(t *testing.T) {
	mini, client := testkit.MustMini(t)
	audit := store.NewAudit(client, "t:", store.AuditSettings{})
	var lost atomic.Int64
	q := store.NewAuditQueue(audit, func(n int) { lost.Add(int64(n)) }, nil)
	for range 5000 { // nobody takes them off yet
		q.Note(store.Line{Action: "login", Outcome: store.OutcomeDone})
	}
	kept := 5000 - int(lost.Load())
	if kept < 1000 || kept == 5000 {
		t.Errorf("%d of 5000 were queued", kept)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // what is queued is written all the same
	if err := q.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if n := client.XLen(t.Context(), "t:{audit}:events").Val(); n != int64(kept) {
		t.Errorf("%d lines, not %d", n, kept)
	}
	mini.Close()
	before := lost.Load()
	q.Note(store.Line{Action: "login"})
	q.Note(store.Line{Action: "login"})
	if err := q.Run(ctx); err != nil || lost.Load() != before+2 {
		t.Errorf("%d were lost, %v", lost.Load()-before, err)
	}
	var none *store.AuditQueue
	none.Note(store.Line{})
	for name, err := range map[string]error{
		"begin": audit.Begin(t.Context(), &store.Line{Action: "x"}), "settle": audit.Settle(t.Context(), store.Line{ID: "a1-1"}),
		"read": func() error { _, _, err := audit.Read(t.Context(), store.AuditFilter{}); return err }(),
	} {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s without Redis: %v", name, err)
		}
	}
}
