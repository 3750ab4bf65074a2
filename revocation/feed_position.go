package revocation

// Reasons for which Gap is called.
const (
	gapNoEpoch   = "the store has no epoch any more"
	gapEpoch     = "the store has another epoch"
	gapFell      = "the store's sequence is behind what was read from it"
	gapGone      = "the last record read is not in the feed, though it was not trimmed"
	gapOther     = "the last record read is another one now"
	gapChain     = "a record does not follow the one before it"
	gapBeginning = "the beginning of the feed is missing"
	gapEnd       = "the end of the feed is missing"
)

// feedHead is the epoch with what it says of the feed, at the moment of a scan.
type feedHead struct {
	Epoch
	last    string // nonce of record N
	trimmed uint64 // all records up to this one were taken off
	mended  uint64 // what is missing up to this one was put back after it

	beat, confirmed uint64 // of the heartbeat: the latest one, and the latest that replicas have
}

// feedPosition is where a reader is in the feed. Sequence and nonces say it; stream
// ids of another server, or of another life of this one, mean nothing.
type feedPosition struct {
	epoch string // of the scans since the beginning; empty before the first
	n     uint64 // sequence of the last record read
	nonce string // of record n
	id    int64  // what comes after has a greater stream id
	level bool   // the end was reached since the beginning was read
	// absent: record n was not in the feed when the position was taken over from the
	// epoch.
	absent bool
}

// follow moves on over records that a wait has told. False, and no move, unless
// each follows the one before it: then a scan must find out why.
func (p *feedPosition) follow(records []told) bool {
	next := *p
	for i := range records {
		if !next.chains(&records[i]) {
			return false
		}
		next.step(&records[i])
	}
	*p = next
	return true
}

// take holds a scan against p and moves on over it. records are those from the
// stream id of p on, itself included; end says that these are all. It returns
// those that are to be applied, and what is missing, if anything. When ok is
// false, reading cannot go on from here: p is then at the beginning.
//
// A feed that is damaged in itself is not read again and again: while it is read
// from its beginning, gaps in it are passed over once they were reported.
func (p *feedPosition) take(h feedHead, records []told, end bool) (fresh []told, gap string, ok bool) {
	fresh, gap = p.rest(h, records)
	if gap == "" && h.ID != "" {
		p.epoch = h.ID
		if gap = p.walk(h, fresh, end); gap == "" || !p.level {
			p.level = p.level || end
			return fresh, gap, true
		}
	}
	*p = feedPosition{}
	return nil, gap, false
}

// rest returns the records after p, or why the store of h is not the one that was
// read up to p.
func (p *feedPosition) rest(h feedHead, records []told) (rest []told, gap string) {
	switch {
	case p.epoch == "":
		return records, ""
	case h.ID == "":
		return nil, gapNoEpoch
	case h.ID != p.epoch:
		return nil, gapEpoch
	case p.level && h.N < p.n:
		return nil, gapFell
	case p.n == 0:
		return records, ""
	case p.absent:
		for len(records) > 0 && records[0].id <= p.id {
			records = records[1:]
		}
		return records, ""
	case len(records) == 0 || records[0].id != p.id:
		if h.trimmed < p.n {
			return nil, gapGone
		}
		return records, ""
	case records[0].N != p.n || string(records[0].nonce) != p.nonce:
		return nil, gapOther
	}
	return records[1:], ""
}

// walk moves p over records, and says what is missing before, between or after
// them. What trim took off is not missing: all that was still in force of it is
// told again further on.
func (p *feedPosition) walk(h feedHead, records []told, end bool) (gap string) {
	for i := range records {
		r := &records[i]
		overtaken := i == 0 && r.N > p.n+1 && r.N-1 <= h.trimmed
		switch {
		case p.n == 0 && !h.begins(r):
			gap = gapBeginning
		case p.n != 0 && !p.chains(r) && !overtaken && !p.excused(h, r):
			gap = gapChain
		}
		p.step(r)
	}
	if end && (p.n != h.N || p.nonce != h.last) {
		if overtaken := p.n < h.N && h.N <= max(h.trimmed, h.mended); !overtaken {
			gap = gapEnd
		}
		p.n, p.nonce, p.id, p.absent = h.N, h.last, max(p.id, h.Clock), true
	}
	return gap
}

// begins says whether r may be the feed's first record. A feed that is older than
// its epoch has a beginning of which the epoch knows nothing.
func (h feedHead) begins(r *told) bool { return r.N-1 <= h.trimmed || r.id <= h.Born }

// chains says whether r follows the record at p.
func (p *feedPosition) chains(r *told) bool {
	return r.N == p.n+1 && string(r.prev) == p.nonce
}

// excused says whether what is missing between p and r was mended: a loss that was
// noticed is not a loss again for each process that reads the feed later.
func (p *feedPosition) excused(h feedHead, r *told) bool {
	return r.N <= h.mended || (r.N == h.mended+1 && p.n < h.mended)
}

// step moves p to r.
func (p *feedPosition) step(r *told) {
	p.n, p.nonce, p.id, p.absent = r.N, string(r.nonce), r.id, false
}
