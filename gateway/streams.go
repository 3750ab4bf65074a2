package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"tollgate/keys/token"
	"tollgate/revocation"
)

// streams is the index of the answers that go on for as long as their reader
// stays: WebSockets, event streams, gRPC. Each ends with its token. It stands
// under the digests of whatever a revocation could name, so that a record of the
// feed finds what it ends without a look at the others.
//
// A stream is indexed before its last verdict is taken: a revocation that arrives
// in between is seen by one of the two.
type streams struct {
	verifier    *token.Verifier
	revocations token.Checker

	mu       sync.Mutex
	byDigest map[revocation.Digest]map[*stream]struct{}
	open     int

	asked chan struct{} // a recheck is wanted; holds one
}

// stream is one open answer.
type stream struct {
	identity *token.Identity
	policy   *token.Policy
	names    []revocation.Name  // of all that a revocation could end it by
	subjects []revocation.Token // subjects[i] is what names[i] is a name of
	timer    *time.Timer
	left     bool                   // not in the index any more; guarded by streams.mu
	note     func(why token.Reason) // tells of the end; may be nil

	mu    sync.Mutex // held while end runs
	ended token.Reason
	// outlives: the end of the token's life is not its end, a revocation is. An
	// upload that was begun in time may take longer than a token lives.
	outlives bool
	// end closes the stream and says why; it is called once, by any goroutine, and
	// does not block.
	end func(why token.Reason)
}

func newStreams(v *token.Verifier, revocations token.Checker) *streams {
	return &streams{verifier: v, revocations: revocations, byDigest: map[revocation.Digest]map[*stream]struct{}{}, asked: make(chan struct{}, 1)}
}

// add indexes a stream and takes its last verdict. On a refusal the stream is not
// indexed any more and must not be opened.
func (s *streams) add(ctx context.Context, st *stream) *token.Refusal {
	for _, subject := range st.identity.Revocables() {
		for _, name := range subject.Names() {
			st.names, st.subjects = append(st.names, name), append(st.subjects, subject)
		}
	}
	s.mu.Lock()
	for _, name := range st.names {
		set := s.byDigest[name.Digest]
		if set == nil {
			set = map[*stream]struct{}{}
			s.byDigest[name.Digest] = set
		}
		set[st] = struct{}{}
	}
	s.open++
	s.mu.Unlock()
	// now+d saturates for an exp in the year 9999.
	st.timer = time.AfterFunc(time.Until(st.identity.Deadline()), func() { st.finish(token.ReasonExpired) })
	err := s.verifier.Reaffirm(ctx, st.identity, st.policy, s.revocations)
	var refusal *token.Refusal
	if errors.As(err, &refusal) {
		s.remove(st)
		return refusal
	}
	return nil
}

// remove forgets a stream that has ended. Calling it again does nothing.
func (s *streams) remove(st *stream) {
	st.timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.left {
		return
	}
	st.left = true
	for _, name := range st.names {
		delete(s.byDigest[name.Digest], st)
		if len(s.byDigest[name.Digest]) == 0 {
			delete(s.byDigest, name.Digest)
		}
	}
	s.open--
}

// finish ends the stream; only the first call counts.
func (st *stream) finish(why token.Reason) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ended != "" || st.outlives && why == token.ReasonExpired {
		return
	}
	st.ended = why
	if st.note != nil {
		st.note(why)
	}
	st.end(why)
}

// hand replaces how the stream ends. When it has ended already nothing is
// replaced, and the answer is why. Behind it the former end is not running.
func (st *stream) hand(end func(token.Reason)) token.Reason {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ended == "" {
		st.end = end
	}
	return st.ended
}

// bind ends the stream with the life of its token from now on, at once where that
// is over.
func (st *stream) bind() {
	st.mu.Lock()
	st.outlives = false
	st.mu.Unlock()
	if !time.Now().Before(st.identity.Deadline()) {
		st.finish(token.ReasonExpired)
	}
}

// why is the reason for which the stream has ended; empty while it goes on.
func (st *stream) why() token.Reason {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.ended
}

// apply ends what the records of the feed name.
func (s *streams) apply(records []revocation.Record) {
	for _, r := range records {
		for _, st := range s.named(r.Digest) {
			if st.endedBy(r) {
				st.finish(token.ReasonRevoked)
			}
		}
	}
}

// endedBy reports whether a record ends the stream: by its token, or by the log-in of
// whoever acts with it.
func (st *stream) endedBy(r revocation.Record) bool {
	for i, name := range st.names {
		if name.Digest == r.Digest && st.subjects[i].EndedBy(r.Kind, r.Cut) {
			return true
		}
	}
	return false
}

func (s *streams) named(d revocation.Digest) []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*stream
	for st := range s.byDigest[d] {
		out = append(out, st)
	}
	return out
}

// count returns how many streams are open.
func (s *streams) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}
