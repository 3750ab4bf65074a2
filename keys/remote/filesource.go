package remote

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"tollgate/keys"
	"tollgate/keys/token"
)

// fileSource keeps the keys in one file.
type fileSource struct {
	held
	issuer  string
	kind    string // the field that names the file
	path    string
	parse   parse
	log     *slog.Logger
	changed func(issuer string)
	poll    time.Duration
	base    context.Context // ends with Close

	mu       sync.Mutex // guards outcomes
	outcomes outcomes
}

var _ token.KeyAwaiter = (*fileSource)(nil)

// Await returns the set: whatever is in the file is there within a poll, and
// asking again for each unknown kid would only cost reads.
func (s *fileSource) Await(context.Context, string) *keys.Set { return s.Set() }

// load reads the file. A file that cannot be used leaves the last good set in
// place.
func (s *fileSource) load() error {
	began := s.now()
	next, dropped, err := s.read(began)
	if err != nil {
		err = fmt.Errorf("%s: %w", s.name(), err)
	}
	s.mu.Lock()
	first := s.outcomes.add(err)
	s.mu.Unlock()
	log := s.log.With("issuer", s.issuer, "source", s.name())
	if err != nil {
		if first && s.current.Load() != nil { // the very first failure is Open's to report
			log.Error("keys of an issuer cannot be read", "error", err, "keys", s.Set().Len())
		}
		return err
	}
	var before *keys.Set
	if old := s.current.Swap(next); old != nil {
		before = old.set
	}
	if first {
		log.Info("keys of an issuer are read again")
	}
	logChange(log, before, next.set, dropped)
	if before != nil && before != next.set {
		s.changed(s.issuer)
	}
	return nil
}

func (s *fileSource) read(began time.Time) (*snapshot, []error, error) {
	data, err := readFile(s.path)
	if err != nil {
		return nil, nil, err
	}
	next := &snapshot{digest: sha256.Sum256(data), seen: began}
	old := s.current.Load()
	if old == nil {
		old = &snapshot{}
	}
	if old.set != nil && old.digest == next.digest {
		next.set, next.leftOut = old.set, old.leftOut
		return next, nil, nil
	}
	set, dropped, err := s.parse(data)
	if err != nil {
		return nil, nil, err
	}
	next.set, next.leftOut = renewed(old.set, set), brief(dropped)
	return next, dropped, nil
}

// run reads the file again and again until ctx ends or the source is closed. It
// compares contents: notifications miss files that are swapped by symbolic link,
// as Kubernetes does it.
func (s *fileSource) run(ctx context.Context) {
	tick := time.NewTicker(s.poll)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = s.load() // it is logged, and in the status
		case <-s.base.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

// name is the source in logs, status and faults.
func (s *fileSource) name() string { return s.kind + " " + s.path }

func (s *fileSource) close() {} // run ends with base

func (s *fileSource) status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held.status(s.issuer, s.name(), s.outcomes)
}
