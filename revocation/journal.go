package revocation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// Kept is what a journal keeps of one digest: what was in force of it, and since when.
type Kept struct {
	Digest    Digest
	Kind      Kind
	Cut       int64  // store time (µs) of the greatest statement in force; 0: all are undone
	At        int64  // store time (µs) of the change; 0: not known
	ExpiresAt int64  // unix second by which it is over; 0: never
	Undone    int64  // store time (µs) of the latest undo among its statements; 0: none, or not known
	Below     string // as in a Record; at most 512 bytes
	Detail    *Detail
}

// Detail is what only the process that made a statement can put back: without it the
// entry is one that lists can name by its digest alone. Reason and Actor are those of the
// statement that was made at Cut.
type Detail struct{ Issuer, Value, Subject, Reason, Actor string }

// Position is how far the feed was followed when it was noted. A store of that epoch
// which is behind it, or which has another record N, has lost something.
type Position struct {
	Epoch string // id; empty: nothing was followed yet
	N     uint64 // sequence of the last record
	Nonce string // of that record
	ID    int64  // store time (µs) at which it was written
	Level bool   // the end of the feed had been reached
}

// errJournalClosed says that Close was called.
var errJournalClosed = errors.New("the journal is closed")

// Journal is a second durable copy of what is revoked, in a file that belongs to one
// process alone. Records are only appended; those that are over, or that a later one
// about the same digest replaces, go when the file is written anew, which it is when
// less than half of it is still of use. Its methods may be called at the same time.
type Journal struct {
	log  *slog.Logger
	work sync.WaitGroup // flush and compaction

	mu      sync.Mutex // guards what follows
	closed  bool
	waiting *batch   // what the next flush writes; nil: nothing
	flying  bool     // a flush runs
	packing bool     // a compaction runs
	spoilt  bool     // damaged since it was opened: nothing is marked any more
	marked  Position // the latest; may not have been written yet
	written Position // the latest that a batch took along

	lost int64 // bytes that are known to be damaged; belongs to whoever packs

	file journalFile
}

// batch is what many calls of Append have put together for one fsync.
type batch struct {
	data []byte
	done chan struct{} // closed when err is set
	err  error
}

// OpenJournal opens or begins the journal at path, which must be a plain file in a
// directory that is there; it becomes readable for its owner alone. The end of a file
// that was being written when its process died is cut off, with a warning: nothing in
// it was acknowledged. A file that another process holds is an error. Nil log: nobody.
func OpenJournal(path string, log *slog.Logger) (*Journal, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	j := &Journal{log: log}
	f, err := lockJournal(path, log)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j.file = journalFile{path: path, f: f}
	if err := j.recover(); err != nil {
		_ = unlockAndClose(f)
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return j, nil
}

// Append writes records and returns when the disk has them. Calls at the same time
// share one fsync. After an error it is not known whether they would be found again;
// when ctx ends first, whether they will. Records longer than any that a store gives
// out are ErrInvalid. A full disk is no end: Append works again once there is room.
func (j *Journal) Append(ctx context.Context, records []Kept) error {
	if len(records) == 0 {
		return nil
	}
	var data []byte
	for i := range records {
		var err error
		if data, err = appendKept(data, &records[i]); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return fmt.Errorf("journal: %w", errJournalClosed)
	}
	b := j.join(data)
	j.mu.Unlock()
	select {
	case <-b.done:
	case <-ctx.Done():
		return fmt.Errorf("journal: %w", ctx.Err())
	}
	if b.err != nil {
		return fmt.Errorf("journal: %w", b.err)
	}
	return nil
}

// Mark notes how far the feed was followed. It does not wait for the disk: the note
// goes along with the next records, or by itself. It must be called only after Append
// has returned nil for the records up to p.N.
func (j *Journal) Mark(p Position) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if p == j.marked || j.closed || j.spoilt || len(p.Epoch)+len(p.Nonce) > MaxText {
		return
	}
	j.marked = p
	if !j.flying {
		j.join(nil)
	}
}

// Position returns what was marked last, at first what the file says.
func (j *Journal) Position() Position {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.marked
}

// Close writes what was marked and closes the file. The journal can be opened again.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	var last *batch
	if j.marked != j.written {
		last = j.join(nil)
	}
	j.mu.Unlock()
	j.work.Wait()
	j.mu.Lock()
	if j.spoilt && j.marked != j.written { // a compaction that ran has found damage meanwhile
		last = j.join(nil)
	}
	j.mu.Unlock()
	j.work.Wait()
	err := j.file.close()
	if last != nil && last.err != nil {
		err = errors.Join(last.err, err)
	}
	if err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

// join adds data to the batch that the next flush writes, and starts a flush if none
// runs. The caller holds mu.
func (j *Journal) join(data []byte) *batch {
	if j.waiting == nil {
		j.waiting = &batch{done: make(chan struct{})}
	}
	b := j.waiting
	b.data = append(b.data, data...)
	if !j.flying {
		j.flying = true
		j.work.Go(j.flush)
	}
	return b
}

// flush writes batches until there is none. While one is being written the next one
// gathers.
func (j *Journal) flush() {
	for {
		j.mu.Lock()
		b := j.waiting
		if b == nil && (j.marked == j.written || j.closed) {
			j.flying = false
			j.mu.Unlock()
			return
		}
		if b == nil {
			b = &batch{done: make(chan struct{})}
		}
		j.waiting = nil
		mark := j.marked
		if mark != j.written {
			b.data = appendPosition(b.data, mark) // after the records that it speaks of
		}
		j.mu.Unlock()

		b.err = j.file.append(b.data)
		j.mu.Lock()
		if b.err == nil {
			j.written = mark
		}
		failed := b.err != nil
		full := !failed && !j.packing && !j.closed && j.file.due()
		if full {
			j.packing = true
			j.work.Go(func() { _ = j.pack() })
		}
		if failed && j.waiting == nil { // a mark alone is no reason to try again at once
			j.flying = false
			j.mu.Unlock()
			close(b.done)
			return
		}
		j.mu.Unlock()
		close(b.done)
	}
}
