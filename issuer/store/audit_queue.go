package store

import (
	"context"
	"log/slog"
	"time"
)

// AuditQueue writes lines of the audit log behind the back of whoever notes them: a
// log-in neither waits for the log nor fails with it. What cannot be written is
// counted as lost.
type AuditQueue struct {
	audit *Audit
	lines chan Line
	lost  func(n int)
	log   *slog.Logger
}

const (
	queueLength = 4096
	queueBatch  = 200
	// queueTime bounds one write; at the end of the process, all that is left.
	queueTime = 2 * time.Second
)

// NewAuditQueue returns a queue into the log; lost is told of each line that was not
// written, and may be nil.
func NewAuditQueue(a *Audit, lost func(n int), log *slog.Logger) *AuditQueue {
	if lost == nil {
		lost = func(int) {}
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &AuditQueue{audit: a, lines: make(chan Line, queueLength), lost: lost, log: log}
}

// Note queues a line. It never waits: a line that finds the queue full is lost. A nil
// queue keeps nothing.
func (q *AuditQueue) Note(l Line) {
	if q == nil {
		return
	}
	select {
	case q.lines <- l:
	default:
		q.lost(1)
	}
}

// Run writes what is queued until ctx ends, and then what is left.
func (q *AuditQueue) Run(ctx context.Context) error {
	for {
		select {
		case l := <-q.lines:
			q.write(context.WithoutCancel(ctx), l)
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queueTime)
			defer cancel()
			for {
				select {
				case l := <-q.lines:
					q.write(ctx, l)
				default:
					return nil
				}
			}
		}
	}
}

// write sends a line with all that wait behind it.
func (q *AuditQueue) write(ctx context.Context, first Line) {
	batch := []Line{first}
	for len(batch) < queueBatch {
		select {
		case l := <-q.lines:
			batch = append(batch, l)
			continue
		default:
		}
		break
	}
	ctx, cancel := context.WithTimeout(ctx, queueTime)
	defer cancel()
	if err := q.audit.Note(ctx, batch); err != nil {
		q.lost(len(batch))
		q.log.Warn("lines of the audit log were lost", "lines", len(batch), "error", err)
	}
}
