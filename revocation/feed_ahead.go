package revocation

import (
	"bytes"
	"context"
	"time"
)

// feedPage is one read of a scan, answered or failed. Its buffers are used again.
type feedPage struct {
	from  int64 // stream id that it begins with
	count int   // records asked for, the one at from not counted
	sent  time.Time
	took  time.Duration
	head  feedHead
	buf   pageBuffer
	err   error
	told  []told // of buf, into which they point; see parse
}

// more says whether there is another page after p, by its beginning alone.
func (p *feedPage) more() bool {
	w := respReader{rest: p.buf}
	return w.array() > p.count
}

// parse reads the records of p.
func (p *feedPage) parse() (err error) {
	p.told, err = toldRaw(p.told[:0], p.buf)
	return err
}

// lastID guesses the stream id of the last record before p is parsed: what stands
// before the last array that follows an id. A wrong guess costs a read of a page that
// nobody asks for.
func (p *feedPage) lastID() (int64, bool) {
	end := bytes.LastIndex(p.buf, []byte("-0\r\n*"))
	if end < 0 {
		return 0, false
	}
	at, err := streamTime(p.buf[bytes.LastIndexByte(p.buf[:end], '\n')+1 : end+2])
	return at, err == nil
}

// fetch reads a page.
func (r *feedReader) fetch(ctx context.Context, p *feedPage, from int64, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	p.from, p.sent = from, r.feed.cfg.Now()
	p.head, p.err = r.feed.read(ctx, p) // the record at the position is read again
	p.took = r.feed.cfg.Now().Sub(p.sent)
}

// fetched returns the page that begins at from: the one that is being read ahead, if
// that is it, or one that is read now. It is good until the call after the next.
func (r *feedReader) fetched(ctx context.Context, from int64, limit time.Duration) *feedPage {
	r.join()
	p := &r.pages[r.turn]
	if !r.ahead || p.from != from {
		p.count = r.page
		r.fetch(ctx, p, from, limit)
	}
	r.ahead = false
	r.turn = 1 - r.turn
	return p
}

// readAhead has the page after p read while p is parsed and applied: loading then takes as long
// as the slower of the two, not as both. What it reads is held against the position
// like any other page when its turn comes, so it may come too early but never count
// for more than it is. Only a reader that is closed may read ahead.
func (r *feedReader) readAhead(ctx context.Context, p *feedPage, limit time.Duration) {
	if !r.eager || !p.more() {
		return
	}
	from, ok := p.lastID()
	if !ok {
		return
	}
	next := &r.pages[r.turn]
	next.count = r.page
	r.ahead = true
	r.reading.Go(func() { r.fetch(ctx, next, from, limit) })
}

// join waits for what is being read ahead.
func (r *feedReader) join() { r.reading.Wait() }
