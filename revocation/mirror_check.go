package revocation

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"tollgate/revocation/table"
)

// view is what a check knows of the mirror as a whole. Published ones do not change.
type view struct {
	level bool // the feed was read to its end once
	// doubt says that the store was found wanting and no epoch says so yet.
	doubt bool
	epoch Epoch // by which tokens are vouched for
	sent  reading
}

// reading is one moment by both clocks. The monotonic one stands still while a
// machine is suspended, and time of day may be set: the greater difference counts.
type reading struct{ at time.Time }

func (m *Mirror) reading(t time.Time) reading { return reading{t} }

// since returns the age of r at now, by whichever clock says more; never negative.
func (r reading) since(now time.Time) time.Duration {
	return max(now.Sub(r.at), now.Round(0).Sub(r.at.Round(0)), 0)
}

// Prepared is a token with the digests by which it is looked up, for whoever checks
// the same token again and again: one of which nothing was in force is not looked up
// again until something is entered that may concern it. It holds no reference to the
// token. Prepare makes one; any number of checks may share it.
type Prepared struct {
	by    *Mirror       // whose moments clear is one of
	clear atomic.Uint64 // the changes' moment from before the last look that found nothing at all; 0: none yet
	count int
	parts [maxProbes]uint16 // of the changes, by probe

	token  Token
	probes [maxProbes]probe
}

// Prepare works out the digests of t. The Prepared is for this mirror; others of the
// same Settings.Own check it as well, and remember nothing.
func (m *Mirror) Prepare(t *Token) *Prepared {
	p := &Prepared{by: m, token: *t}
	p.count = len(t.probesOf(p.probes[:0], m.cfg.Store.settings.Own, &m.familiar))
	for i := range p.count {
		p.parts[i] = partOf(&p.probes[i].digest)
	}
	p.token.Signed = nil
	return p
}

// Check says what is known of t; Verdict.Stale says how old that is. It never asks
// Redis, and takes no notice of the context.
func (m *Mirror) Check(_ context.Context, t *Token) Verdict {
	if t == nil {
		return unreachable(errors.New("check of no token"))
	}
	var buf [maxProbes]probe
	out, _ := m.check(t, t.probes(buf[:0], m.cfg.Store.settings.Own))
	return out
}

// CheckPrepared is Check for a token that was prepared.
func (m *Mirror) CheckPrepared(p *Prepared) Verdict {
	if p.by != m {
		out, _ := m.check(&p.token, p.probes[:p.count])
		return out
	}
	v := m.view.Load() // before the changes, as before the tables
	if !m.changes.since(p.clear.Load(), p.parts[:p.count]) {
		return m.unspoken(v, &p.token)
	}
	moment := m.changes.moment()
	out, nothing := m.check(&p.token, p.probes[:p.count])
	if nothing {
		p.clear.Store(moment)
	}
	return out
}

// check looks at the view before the tables, and at the clock after them: what the
// tables say is then at least as new as the view, and a process that was stopped in
// between knows how long. Nothing says that they hold nothing that could end t, be it
// over or not: a clock may be set back.
func (m *Mirror) check(t *Token, probes []probe) (out Verdict, nothing bool) {
	v := m.view.Load()
	nothing = true
	for i := range probes {
		p := &probes[i]
		cut, expires := m.lookUp(p)
		if cut == 0 || !t.endedBy(p.kind, cut) {
			continue
		}
		nothing = false
		if now := m.cfg.Now(); !over(expires, now) {
			return Verdict{State: Revoked, Kind: p.kind, Stale: v.sent.since(now)}, false
		}
	}
	return m.unspoken(v, t), nothing
}

// unspoken is the verdict on t when nothing in force speaks of it.
func (m *Mirror) unspoken(v *view, t *Token) Verdict {
	out := Verdict{State: Clear, Stale: v.sent.since(m.cfg.Now())}
	switch {
	case !v.level:
		out.State, out.Cause = Unknown, CauseLoading
	case v.doubt || !v.epoch.vouchesFor(t):
		out.State, out.Cause = Unknown, CauseLost
	}
	return out
}

// lookUp returns the cut in force for p, and when it is over. Of what is no cut-off
// any cut says the same.
func (m *Mirror) lookUp(p *probe) (cut int64, expires uint32) {
	if p.kind.CutOff() {
		cut, expires, _ = m.cuts(p.kind).Lookup(p.digest)
		return cut, expires
	}
	expires, ok := m.named(p.kind).Lookup(p.digest)
	if ok {
		cut = 1
	}
	return cut, expires
}

// over says whether an entry of that expiry is over at now.
func over(expires uint32, now time.Time) bool {
	return expires != table.Forever && int64(expires) <= now.Unix()
}
