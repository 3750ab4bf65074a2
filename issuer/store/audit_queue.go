package store

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// AuditQueue writes lines of the audit log behind the back of whoever notes them: a
// log-in neither waits for the log nor fails with it. What cannot be written is
// counted as lost.
type AuditQueue struct {
	note  func(context.Context, []Line) error // into the log
	lines chan Line
	lost  func(n int)
	log   *slog.Logger

	mu      sync.Mutex // guards what follows
	sources []func(now time.Time, last bool) []Line
}

const (
	queueLength = 4096
	queueBatch  = 200
	// queueTime bounds one write; at the end of the process, all that is left.
	queueTime = 2 * time.Second
	// collectEvery is how often those are asked who hold lines back.
	collectEvery = 10 * time.Second
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
	return &AuditQueue{note: a.Note, lines: make(chan Line, queueLength), lost: lost, log: log}
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

// Collect has the queue ask for lines that are held back, every ten seconds by Run and
// a last time when it ends: last says so. A nil queue asks nobody.
func (q *AuditQueue) Collect(from func(now time.Time, last bool) []Line) {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sources = append(q.sources, from)
}

// Run writes what is queued, and what is collected, until ctx ends, and then what is
// left.
func (q *AuditQueue) Run(ctx context.Context) error {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	for {
		select {
		case l := <-q.lines:
			q.write(context.WithoutCancel(ctx), l)
		case now := <-tick.C:
			q.collect(context.WithoutCancel(ctx), now, false)
		case <-ctx.Done():
			q.finish(context.WithoutCancel(ctx))
			return nil
		}
	}
}

// finish writes what is left, within queueTime.
func (q *AuditQueue) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, queueTime)
	defer cancel()
	for {
		select {
		case l := <-q.lines:
			q.write(ctx, l)
		default:
			q.collect(ctx, time.Now(), true)
			return
		}
	}
}

// collect writes what is held back elsewhere.
func (q *AuditQueue) collect(ctx context.Context, now time.Time, last bool) {
	q.mu.Lock()
	sources := slices.Clone(q.sources)
	q.mu.Unlock()
	for _, from := range sources {
		for batch := range slices.Chunk(from(now, last), queueBatch) {
			q.send(ctx, batch)
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
	q.send(ctx, batch)
}

func (q *AuditQueue) send(ctx context.Context, batch []Line) {
	ctx, cancel := context.WithTimeout(ctx, queueTime)
	defer cancel()
	if err := q.note(ctx, batch); err != nil {
		q.lost(len(batch))
		q.log.Warn("lines of the audit log were lost", "lines", len(batch), "error", err)
	}
}
