package upstream

// pick chooses the target of a request. avoid is the one that has just failed it;
// nil: none has. Another that is in goes first, then any that is in; when all are
// out, all are tried.
func (u *Upstream) pick(avoid *target) *target {
	if len(u.targets) == 1 {
		return u.targets[0]
	}
	turn, now := u.turn.Add(1)-1, u.clock()
	if t := u.among(turn, func(t *target) bool { return t != avoid && t.in(now) }); t != nil {
		return t
	}
	if avoid != nil && avoid.in(now) {
		return avoid
	}
	return u.among(turn, func(t *target) bool { return t != avoid })
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
