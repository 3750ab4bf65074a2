package upstream

import "slices"

// pick chooses the target of a request. When all are out, all are tried.
func (u *Upstream) pick() *target {
	if len(u.targets) == 1 {
		return u.targets[0]
	}
	turn, now := u.turn.Add(1)-1, u.clock()
	if t := u.among(turn, func(t *target) bool { return t.in(now) }); t != nil {
		return t
	}
	return u.among(turn, func(*target) bool { return true })
}

// next chooses another target for a request that failed at those that were tried:
// one that is in goes first, then any. A request whose connection died has its
// second try in any case, where there is no better one at the same target, which
// may have done nothing but close idle connections. nil: there is none.
func (u *Upstream) next(tried []*target, died bool) *target {
	turn, now, last := u.turn.Add(1)-1, u.clock(), tried[len(tried)-1]
	if t := u.among(turn, func(t *target) bool { return t.in(now) && !slices.Contains(tried, t) }); t != nil {
		return t
	}
	if died && last.in(now) {
		return last
	}
	if t := u.among(turn, func(t *target) bool { return !slices.Contains(tried, t) }); t != nil || !died {
		return t
	}
	return last
}

// among chooses among the targets for which fit holds; nil: there is none.
func (u *Upstream) among(turn uint64, fit func(*target) bool) *target {
	if u.config.Balance == LeastConn {
		return u.leastAmong(turn, fit)
	}
	n := uint64(0)
	for _, t := range u.targets {
		if fit(t) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	// One may go out between the two passes: the last that fits will do.
	var last *target
	skip := turn % n
	for _, t := range u.targets {
		if !fit(t) {
			continue
		}
		last = t
		if skip == 0 {
			break
		}
		skip--
	}
	return last
}

// leastAmong takes them from another starting point each time, so that equals
// share the load.
func (u *Upstream) leastAmong(turn uint64, fit func(*target) bool) *target {
	var best *target
	var least int64
	n := uint64(len(u.targets))
	for i := range n {
		t := u.targets[(turn+i)%n]
		if !fit(t) {
			continue
		}
		if load := t.inflight.Load(); best == nil || load < least {
			best, least = t, load
		}
	}
	return best
}
