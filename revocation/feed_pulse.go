package revocation

import "time"

// pulse is what scans saw of the heartbeat, for feeds that believe a read only when
// replicas have vouched for the server that was read.
//
// A beat is written, then confirmed, then noted as confirmed. So when one is noted, a
// read that still saw an earlier beat was answered before replicas confirmed: the
// server was their primary then, and nobody else could have acknowledged anything.
// Of the read that finds the note this cannot be said, nor of one that saw the beat
// itself: replicas may have turned away before either. That is why a read counts only
// once a later one has vouched for it.
type pulse struct {
	epoch     string
	confirmed uint64
	reads     []pulseRead // that reached the end and are not vouched for; beats rise
	vouched   time.Time   // when the last read that is vouched for was sent; zero: none in this epoch
}

// pulseRead is the last read that saw a beat.
type pulseRead struct {
	beat uint64
	sent time.Time
}

// maxPulseReads bounds the reads that are remembered while nothing is confirmed.
const maxPulseReads = 16

// take notes a scan that reached the end.
func (p *pulse) take(h feedHead, sent time.Time) {
	last := len(p.reads) - 1
	if last >= 0 && h.ID == p.epoch && sent.Before(p.reads[last].sent) {
		return // overtaken: its beat is no news
	}
	if h.ID != p.epoch {
		*p = pulse{epoch: h.ID}
	} else if h.confirmed < p.confirmed || last >= 0 && h.beat < p.reads[last].beat {
		p.reads = p.reads[:0] // another server, or one that came back with less
	}
	p.confirmed = h.confirmed
	for len(p.reads) > 0 && p.reads[0].beat < h.confirmed {
		if p.vouched.Before(p.reads[0].sent) {
			p.vouched = p.reads[0].sent
		}
		p.reads = p.reads[1:]
	}
	last = len(p.reads) - 1
	switch {
	case last >= 0 && p.reads[last].beat == h.beat:
		p.reads[last].sent = sent
	case last >= maxPulseReads-1:
		// Beats come and none is confirmed. The oldest reads are the first that can be
		// vouched for, so it is the new one that is left out.
	default:
		p.reads = append(p.reads, pulseRead{h.beat, sent})
	}
}
