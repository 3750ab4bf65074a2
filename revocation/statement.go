package revocation

import (
	"cmp"
	"slices"
	"time"
)

// maxStatements is how many statements one entry keeps. Only cut-offs gather
// them; somebody who logs out everywhere in a loop must not grow an entry, and
// the script that reads it, without end.
const maxStatements = 64

// statement is one revocation inside an entry. Times are as they are stored.
type statement struct {
	at     int64 // store time (µs)
	exp    int64 // unix ms, without leeway; 0: never
	undone int64 // store time (µs); 0: in force
	why    string
	who    string
}

// ends returns the unix ms at which s has passed; false when it never does. A
// life that was over when the statement was made is given one second.
func (s statement) ends(leeway time.Duration) (int64, bool) {
	if s.exp == 0 {
		return 0, false
	}
	return max(s.exp+leeway.Milliseconds(), (s.at+999)/1000+1000), true
}

// passed reports whether s has passed at wall (µs).
func (s statement) passed(wall int64, leeway time.Duration) bool {
	end, ok := s.ends(leeway)
	return ok && end*1000 <= wall
}

// entry is all that is said about one digest.
type entry struct {
	digest     Digest
	kind       Kind
	issuer     string
	value      string
	subject    string
	n          uint64 // sequence of the feed record that last told of it
	told       Record // what that record says
	statements []statement
}

// revocation returns the statement s of e as the outside sees it.
func (e *entry) revocation(s statement) Revocation {
	r := Revocation{
		ID: statementID(e.digest, s.at), Kind: e.kind, Issuer: e.issuer, Value: e.value,
		Subject: e.subject, Reason: s.why, Actor: s.who,
		RevokedAt: time.UnixMicro(s.at).UTC(), Seq: e.n,
	}
	if s.exp != 0 {
		r.ExpiresAt = time.UnixMilli(s.exp).UTC()
	}
	if s.undone != 0 {
		r.UndoneAt = time.UnixMicro(s.undone).UTC()
	}
	return r
}

// detail is what a journal keeps of e beside what is in force: the words of it.
func (e *entry) detail() *Detail {
	d := &Detail{Issuer: e.issuer, Value: e.value, Subject: e.subject}
	if i := e.find(e.told.Cut); i >= 0 {
		d.Reason, d.Actor = e.statements[i].why, e.statements[i].who
	}
	return d
}

// find returns the index of the statement made at that store time, or -1.
func (e *entry) find(at int64) int {
	return slices.IndexFunc(e.statements, func(s statement) bool { return s.at == at })
}

// sort puts the statements into order, oldest first.
func (e *entry) sort() {
	slices.SortFunc(e.statements, func(a, b statement) int { return cmp.Compare(a.at, b.at) })
}
