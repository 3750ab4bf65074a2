package statuslist

import (
	"tollgate/issuer/store"
	"tollgate/revocation"
)

// judge tells of tokens of one issuer what a check of the store would tell. It is
// used while the ledger is held.
type judge struct {
	ledger  *Ledger
	all     int64 // the issuer's cut-off in force (µs); 0: none
	vouched int64 // of sessions born before this nothing can be told
	now     int64 // unix second
}

// judge calls use with the ledger held, and returns the version that it saw.
func (l *Ledger) judge(issuer string, use func(*judge)) (version uint64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	j := &judge{ledger: l, vouched: max(l.epoch.Born, l.epoch.CompleteSince), now: l.now().Unix()}
	j.all = j.cut(revocation.DigestOf(issuer, revocation.KindAll, ""))
	use(j)
	return l.version
}

// cut returns the cut in force of a digest, or 0.
func (j *judge) cut(d revocation.Digest) int64 {
	if cut, expires, ok := j.ledger.cuts.Lookup(d); ok && !over(expires, j.now) {
		return cut
	}
	return 0
}

// refuses reports whether the token of an entry is not to be accepted. What the
// store cannot vouch for is refused: a bit has no third value.
func (j *judge) refuses(e *store.StatusEntry) bool {
	if e.Born <= j.all || e.Born < j.vouched || e.Born <= j.cut(e.Subject) || j.cut(e.Token) != 0 || j.cut(e.Session) != 0 {
		return true
	}
	if a := &e.Acting; a.Born != 0 && (a.Born <= j.all || a.Born < j.vouched || a.Born <= j.cut(a.Subject) || j.cut(a.Session) != 0) {
		return true
	}
	for _, key := range e.Keys {
		if j.cut(key) != 0 {
			return true
		}
	}
	return false
}
