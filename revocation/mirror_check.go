package revocation

import (
	"context"
	"errors"
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
// the same token again and again. It holds no reference to the token.
type Prepared struct {
	token  Token
	probes [maxProbes]probe
	count  int
}

// Prepare works out the digests of t. The Prepared is for this mirror, and for
// others of the same Settings.Own.
func (m *Mirror) Prepare(t *Token) *Prepared {
	p := &Prepared{token: *t}
	p.count = len(t.probes(p.probes[:0], m.cfg.Store.settings.Own))
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
	return m.check(t, t.probes(buf[:0], m.cfg.Store.settings.Own))
}

// CheckPrepared is Check for a token that was prepared.
func (m *Mirror) CheckPrepared(p *Prepared) Verdict {
	return m.check(&p.token, p.probes[:p.count])
}

// check looks at the view before the tables, and at the clock after them: what the
// tables say is then at least as new as the view, and a process that was stopped in
// between knows how long.
func (m *Mirror) check(t *Token, probes []probe) Verdict {
	v := m.view.Load()
	for _, p := range probes {
		cut, expires := m.lookUp(p)
		if cut == 0 || !t.endedBy(p.kind, cut) {
			continue
		}
		if now := m.cfg.Now(); !over(expires, now) {
			return Verdict{State: Revoked, Kind: p.kind, Stale: v.sent.since(now)}
		}
	}
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
func (m *Mirror) lookUp(p probe) (cut int64, expires uint32) {
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
