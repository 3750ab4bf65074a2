package issuerkit

import (
	"context"
	"testing"
	"time"

	"tollgate/issuer/store"
)

// mustAudit opens the audit log and the queue into it, which is emptied when the test
// ends.
func (k *Kit) mustAudit(tb testing.TB) {
	tb.Helper()
	k.Audit = store.NewAudit(k.Redis, "t:", store.AuditSettings{})
	k.Events = store.NewAuditQueue(k.Audit, k.Metrics.AuditLost, k.Logs.Logger())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.Events.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		must(tb, <-done)
	})
}

// mustRunWaits does what the admin API does beside its requests, until the test ends or
// Drain.
func (k *Kit) mustRunWaits(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.Admin.RunWaits(ctx) }()
	k.Drain = cancel
	tb.Cleanup(func() {
		cancel()
		must(tb, <-done)
	})
}

// MustAudit returns the lines of the audit log that fit, the newest first, once there
// are so many.
func (k *Kit) MustAudit(tb testing.TB, f store.AuditFilter, least int) []store.Line {
	tb.Helper()
	f.Limit = 1000
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		lines, _, err := k.Audit.Read(context.Background(), f)
		must(tb, err)
		if len(lines) >= least {
			return lines
		}
		if time.Now().After(end) {
			tb.Fatalf("%d lines of the audit log fit, not %d: %+v", len(lines), least, lines)
		}
	}
}

// MustAdminToken makes an admin token of a role.
func (k *Kit) MustAdminToken(tb testing.TB, role string) (id, raw string) {
	tb.Helper()
	t, raw, err := k.AdminTokens.Create(tb.Context(), store.AdminToken{Name: "the " + role, Role: role, CreatedBy: "test"})
	must(tb, err)
	k.Logs.Secret(raw)
	return t.ID, raw
}
