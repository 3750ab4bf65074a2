package store

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed scripts/audit_begin.lua
	auditBeginLua string
	//go:embed scripts/audit_settle.lua
	auditSettleLua string
)

// AuditSettings bound the audit log. Both bounds hold for the actions of
// administrators and for all else, each on its own: a flood of refused log-ins pushes
// out no action. Redis keeps up to a hundred lines more than asked for.
type AuditSettings struct {
	Lines int           // 0: 100,000
	Age   time.Duration // 0: 90 days
}

// Audit is the audit log: two Redis streams. It is safe for concurrent use.
type Audit struct {
	client        redis.UniversalClient
	names         adminNames
	settings      AuditSettings
	begin, settle *redis.Script
}

// NewAudit returns the log under prefix ("tg:"). It does not connect.
func NewAudit(client redis.UniversalClient, prefix string, s AuditSettings) *Audit {
	if s.Lines <= 0 {
		s.Lines = 100_000
	}
	if s.Age <= 0 {
		s.Age = 90 * 24 * time.Hour
	}
	return &Audit{client: client, names: adminNames{prefix}, settings: s, begin: redis.NewScript(auditBeginLua), settle: redis.NewScript(auditSettleLua)}
}

// Where a line stands, as its id tells.
const (
	placeAction = "a"
	placeEvent  = "e"
)

// Begin writes that an action is about to be done, and gives the line its id. After
// an error the action must not be done: ErrUnavailable.
func (a *Audit) Begin(ctx context.Context, l *Line) error {
	l.ID, l.Outcome = "", OutcomeBegun
	args := append([]any{a.settings.Lines, a.settings.Age.Milliseconds()}, l.pairs()...)
	id, err := a.begin.Run(ctx, a.client, []string{a.names.actions(), a.names.open()}, args...).Text()
	if err != nil {
		return unavailable("write the intent of an action", err)
	}
	l.ID = placeAction + id
	return nil
}

// Settle writes what came of an action that Begin wrote. ErrUnavailable: the intent
// stays as one whose outcome nobody knows.
func (a *Audit) Settle(ctx context.Context, l Line) error {
	id, ok := strings.CutPrefix(l.ID, placeAction)
	if !ok {
		return fmt.Errorf("store: %q is no action of the audit log", l.ID)
	}
	args := append([]any{a.settings.Lines, id}, l.pairs()...)
	if err := a.settle.Run(ctx, a.client, []string{a.names.actions(), a.names.open()}, args...).Err(); err != nil {
		return unavailable("write the outcome of an action", err)
	}
	return nil
}

// Note writes what has happened already, in one round trip. ErrUnavailable: some of it
// may be missing.
func (a *Audit) Note(ctx context.Context, lines []Line) error {
	if len(lines) == 0 {
		return nil
	}
	pipe := a.client.Pipeline()
	for _, l := range lines {
		pipe.XAdd(ctx, &redis.XAddArgs{Stream: a.names.events(), MaxLen: int64(a.settings.Lines), Approx: true, Values: l.pairs()})
	}
	oldest := time.Now().Add(-a.settings.Age).UnixMilli()
	pipe.XTrimMinIDApprox(ctx, a.names.events(), strconv.FormatInt(oldest, 10), 0)
	if _, err := pipe.Exec(ctx); err != nil {
		return unavailable("write events", err)
	}
	return nil
}
