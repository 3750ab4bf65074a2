package revocation

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	maxPage   = 5000 // records of one read: about 1 MB, and some 4 ms of Redis's time
	leastPage = 50   // on a line so slow that more do not arrive before the deadline
)

// errNoEpoch says that the store has no epoch yet: whoever may begin one has not.
var errNoEpoch = errors.New("the store has no epoch")

// errNotLevel says that a feed has not been read to its end yet, or not again after
// a gap.
var errNotLevel = errors.New("not level")

// feedReader reads for a feed, one read at a time, but for the page that it reads
// ahead. Its buffers are used again.
type feedReader struct {
	feed    *Feed
	page    int
	told    []told // of a wait
	records []Record

	eager   bool           // reads ahead
	reading sync.WaitGroup // what is read ahead, into the page whose turn it is
	ahead   bool           // that page was read ahead, or is being read
	pages   [2]feedPage
	turn    int
}

func newFeedReader(f *Feed, page int) *feedReader { return &feedReader{feed: f, page: page} }

// next does the read that is due.
func (r *feedReader) next(ctx context.Context) error {
	if r.feed.scanDue() {
		_, err := r.scan(ctx, r.feed.cfg.Deadline)
		return err
	}
	return r.wait(ctx)
}

// scan reads the epoch and a page after the position, at one moment, and tells
// what it found. end says that nothing is left to read.
func (r *feedReader) scan(ctx context.Context, limit time.Duration) (bool, error) {
	f := r.feed
	at, moved := f.start()
	p := r.fetched(ctx, at.id, limit)
	if p.err != nil {
		r.slower(p.err)
		return false, p.err
	}
	if p.took < limit/4 {
		r.page = min(2*p.count, maxPage)
	}
	r.readAhead(ctx, p, limit)
	if err := p.parse(); err != nil {
		return false, err
	}
	h, sent, end := p.head, p.sent, len(p.told) <= p.count

	f.mu.Lock()
	defer f.mu.Unlock()
	if moved != f.moved { // another reader was faster, and what it read counts
		return false, nil
	}
	fresh, gap, ok := at.take(h, p.told, end)
	end = end && ok
	f.moveTo(at)
	if f.scanned = (time.Time{}); end {
		f.scanned = sent
	}
	if gap != "" {
		f.cfg.Log.Warn("revocations may have been lost", "reason", gap, "epoch", h.ID)
		f.cfg.Gap(gap)
	}
	if h.ID != "" {
		f.cfg.Epoch(h.Epoch)
	} else {
		f.cfg.NoEpoch(sent)
	}
	r.apply(fresh)
	f.applied()
	if end {
		f.pulse.take(h, sent)
	}
	f.tellLevel(end, sent)
	if h.ID == "" {
		return false, errNoEpoch
	}
	return end, nil
}

// wait waits for records after the position, until the next scan is due.
//
// It says nothing of how fresh they are: that stays as of the last scan. A server that
// has become a replica since then answers, too, with what its new primary has let it
// have so far; only a scan asks for its role. (XREAD itself cannot: Redis does not block
// in a transaction, and a role asked for after the answer is of another moment.)
func (r *feedReader) wait(ctx context.Context) error {
	f := r.feed
	ctx, cancel := context.WithTimeout(ctx, f.cfg.Deadline)
	defer cancel()
	at, moved := f.start()
	streams, err := f.cfg.Client.XRead(ctx, &redis.XReadArgs{
		Streams: []string{f.names.feed}, ID: streamID(at.id), Count: int64(r.page), Block: f.untilScan(),
	}).Result()
	switch {
	case errors.Is(err, redis.Nil):
		f.scanNext()
		return nil
	case err != nil:
		f.scanNext()
		return err
	case len(streams) != 1:
		return errReply
	}
	r.told = r.told[:0]
	for _, m := range streams[0].Messages {
		t, err := toldMessage(m)
		if err != nil {
			return err
		}
		r.told = append(r.told, t)
	}

	f.mu.Lock()
	defer f.mu.Unlock()
	if moved != f.moved {
		return nil
	}
	end := len(r.told) < r.page
	follows := at.follow(r.told)
	if !follows || !end {
		f.scanned = time.Time{}
	}
	if follows {
		f.moveTo(at)
		r.apply(r.told)
		f.applied()
		if !end {
			f.tellLevel(false, time.Time{})
		}
	}
	return nil
}

// apply hands new records to FeedConfig.Apply. The caller holds the feed's mu.
func (r *feedReader) apply(fresh []told) {
	if len(fresh) == 0 {
		return
	}
	r.records = r.records[:0]
	for i := range fresh {
		r.records = append(r.records, fresh[i].Record)
	}
	r.feed.cfg.Apply(r.records)
}

// slower asks for less from now on, when a read ran out of time.
func (r *feedReader) slower(err error) {
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		r.page = max(r.page/4, leastPage)
	}
}
