package store

import (
	"context"
	"sync"
	"time"
)

const (
	// tailEvery is how often the log is read while somebody follows.
	tailEvery = 200 * time.Millisecond
	// tailKept is how many entries are kept for those who are a little behind, about 300
	// bytes each.
	tailKept = 2000
	// tailLinger is how long the place is kept after the last follower has left: his next
	// request comes in a moment.
	tailLinger = 5 * time.Second
	// tailPause is how long an answer takes once Run has ended: who asks again at once,
	// as a follower does, must not turn in a circle.
	tailPause = 500 * time.Millisecond
)

// AuditTail reads the end of the audit log once for all who follow it. It is safe for
// concurrent use.
type AuditTail struct {
	audit  *Audit
	budget time.Duration // of one read
	wake   chan struct{} // there is a place to read from; holds one

	mu     sync.Mutex // guards what follows
	follow int        // who waits now
	left   time.Time  // when the last of them has left
	placed bool
	from   [2]string // what stands behind it, up to to, is kept
	to     [2]string
	kept   []entry
	read   chan struct{} // closed when there is something new, or a read has failed
	failed error         // of the last read
	over   bool          // Run has ended
}

// NewAuditTail returns the tail of a log. One read waits for Redis as long as the budget
// says; 0: OpBudget.
func NewAuditTail(a *Audit, budget time.Duration) *AuditTail {
	if budget == 0 {
		budget = OpBudget
	}
	return &AuditTail{audit: a, budget: budget, wake: make(chan struct{}, 1), read: make(chan struct{})}
}

// Run reads while somebody follows, until ctx ends: those who wait then return at once.
// It returns nil.
func (t *AuditTail) Run(ctx context.Context) error {
	defer t.end()
	tick := time.NewTicker(tailEvery)
	defer tick.Stop()
	for {
		again := tick.C
		if !t.busy() {
			again = nil
		}
		select {
		case <-t.wake:
		case <-again:
			t.advance(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

func (t *AuditTail) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	close(t.read) // and it stays so
}

// tell lets all who wait look again. The lock is held.
func (t *AuditTail) tell(err error) {
	t.failed = err
	close(t.read)
	t.read = make(chan struct{})
}

// busy reports whether the log is to be read. What nobody has followed for a while is
// forgotten.
func (t *AuditTail) busy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.follow == 0 && time.Since(t.left) > tailLinger {
		t.placed, t.kept = false, nil
	}
	return t.placed
}

// advance reads what was written since the last time.
func (t *AuditTail) advance(ctx context.Context) {
	t.mu.Lock()
	idle, to := t.follow == 0, t.to
	t.mu.Unlock()
	if idle {
		return
	}
	found, err := t.audit.behind(WithBudget(ctx, t.budget), to)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.tell(err)
		return
	}
	for _, e := range found {
		t.to[e.place] = e.id
	}
	t.kept = append(t.kept, found...)
	if gone := len(t.kept) - tailKept; gone > 0 {
		for _, e := range t.kept[:gone] {
			t.from[e.place] = e.id
		}
		t.kept = append([]entry(nil), t.kept[gone:]...)
	}
	if len(found) > 0 || t.failed != nil {
		t.tell(nil)
	}
}

// Follow is Audit.Follow that waits for the first line that fits, until the time is over
// or Run ends; then the page is empty, and next is how far it has looked. Waiting costs
// Redis nothing: only a position older than what is kept is read for its follower alone.
// ErrUnavailable, ErrInvalid.
func (t *AuditTail) Follow(ctx context.Context, f AuditFilter, after string, wait time.Duration) (page []Line, next string, err error) {
	at, err := positionOf(after)
	if err != nil {
		return nil, "", err
	}
	f.Limit = min(max(f.Limit, 1), maxPage)
	over := t.begin()
	defer t.leave()
	if over {
		wait = min(wait, tailPause)
	}
	late := time.NewTimer(wait)
	defer late.Stop()
	if over {
		select {
		case <-late.C:
		case <-ctx.Done():
		}
		return nil, after, nil
	}
	for {
		var changed <-chan struct{}
		if page, changed = t.look(&f, &at); len(page) > 0 {
			return page, position(at), nil
		}
		if changed == nil {
			var moved bool
			if page, moved, err = t.catchUp(ctx, f, &at); err != nil || len(page) > 0 {
				return page, position(at), err
			}
			if moved {
				continue
			}
			changed = t.place(at)
		}
		select {
		case <-changed:
			if over, err := t.state(); over || err != nil {
				return nil, position(at), err
			}
		case <-late.C:
			return nil, position(at), nil
		case <-ctx.Done():
			return nil, position(at), nil
		}
	}
}

// begin counts a follower, and reports whether Run has ended.
func (t *AuditTail) begin() (over bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.follow++
	return t.over
}

func (t *AuditTail) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.follow--
	t.left = time.Now()
}

func (t *AuditTail) state() (over bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.over, t.failed
}

// look takes what is kept behind a position and moves that on. changed is closed when it
// is worth to look again; nil: the position is older than what is kept.
func (t *AuditTail) look(f *AuditFilter, at *[2]string) (page []Line, changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.covers(*at) {
		return nil, nil
	}
	return f.take(t.kept, at), t.read
}

// covers is asked with the lock held.
func (t *AuditTail) covers(at [2]string) bool {
	return t.over || t.placed && !newer(t.from[0], at[0]) && !newer(t.from[1], at[1])
}

// catchUp reads once for one follower; moved: there may be more.
func (t *AuditTail) catchUp(ctx context.Context, f AuditFilter, at *[2]string) (page []Line, moved bool, err error) {
	found, err := t.audit.behind(WithBudget(ctx, t.budget), *at)
	if err != nil {
		return nil, false, err
	}
	return f.take(found, at), len(found) > 0, nil
}

// place is told a position behind which nothing stands yet: the first one is where the
// tail begins. Who is behind that all the same is held back by an intent that the tail
// has passed, and has to look for himself in a moment.
func (t *AuditTail) place(at [2]string) (changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.placed && !t.over {
		t.placed, t.from, t.to, t.kept, t.failed = true, at, at, nil, nil
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
	if t.covers(at) {
		return t.read
	}
	soon := make(chan struct{})
	time.AfterFunc(tailEvery, func() { close(soon) })
	return soon
}
