package revocation

import (
	"context"
	"slices"
	"time"
)

// Revoke makes a statement, by the rules of revoke.lua.
func (m *Memory) Revoke(ctx context.Context, o Order) (Revocation, error) {
	p, err := m.settings.prepare(o)
	if err != nil {
		return Revocation{}, err
	}
	if err := alive(ctx); err != nil {
		return Revocation{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	wall, now := m.wall(), m.tick()
	exp := p.expiresMs
	if exp == 0 && p.lifeMs > 0 {
		exp = wall/1000 + p.lifeMs
	}
	e := m.load(p, wall)
	i := -1
	if !p.Kind.CutOff() {
		i = e.standing()
	}
	told := i < 0
	if i < 0 {
		e.statements = append(e.statements, statement{at: now, exp: exp, why: p.Reason, who: p.Actor})
		e.crowd(maxStatements)
		i = len(e.statements) - 1
	} else if s := &e.statements[i]; s.exp != 0 {
		s.exp = max(s.exp, exp)
	}
	told = e.outlive(e.statements[i], wall, m.settings.Leeway) || told || p.Wait
	if p.Subject != "" {
		e.subject = p.Subject
	}
	if told {
		m.tell(e)
	}
	return m.made(e, e.statements[i]), nil
}

// load returns the entry that p speaks of, without statements that have passed;
// a new one when there is none.
func (m *Memory) load(p prepared, wall int64) *memoryEntry {
	if len(m.entries) >= m.sweepAt {
		for d, e := range m.entries {
			if e.ended(wall) {
				delete(m.entries, d)
			}
		}
		m.sweepAt = max(sweepLeast, 2*len(m.entries))
	}
	e := m.entries[p.digest]
	if e == nil || e.ended(wall) {
		e = &memoryEntry{entry: entry{digest: p.digest, kind: p.Kind, issuer: p.Issuer, value: p.Value}}
		m.entries[p.digest] = e
	}
	e.drop(wall, m.settings.Leeway)
	return e
}

// tell gives e the next sequence, as a feed record does, and works out its cut.
func (m *Memory) tell(e *memoryEntry) {
	m.epoch.N++
	e.n, e.cut = m.epoch.N, 0
	if i := e.standing(); i >= 0 {
		e.cut = e.statements[i].at
	}
}

// Undo takes one statement back, by the rules of undo.lua.
func (m *Memory) Undo(ctx context.Context, id string) (Revocation, error) {
	d, at, ok := parseID(id)
	if !ok {
		return Revocation{}, ErrNotFound
	}
	if err := alive(ctx); err != nil {
		return Revocation{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e, i := m.find(d, at)
	if e == nil {
		return Revocation{}, ErrNotFound
	}
	if e.statements[i].undone == 0 {
		e.statements[i].undone = m.tick()
		e.drop(m.wall(), m.settings.Leeway)
		m.tell(e)
	}
	return m.made(e, e.statements[e.find(at)]), nil
}

// made returns a statement as the answer to a write.
func (m *Memory) made(e *memoryEntry, s statement) Revocation {
	r := e.revocation(s)
	r.Epoch = m.epoch.ID
	return r
}

// find returns the entry of d and the index of its statement made at that time;
// nil when either is not there or has passed.
func (m *Memory) find(d Digest, at int64) (*memoryEntry, int) {
	e, wall := m.entries[d], m.wall()
	if e == nil || e.ended(wall) {
		return nil, -1
	}
	i := e.entry.find(at)
	if i < 0 || e.statements[i].passed(wall, m.settings.Leeway) {
		return nil, -1
	}
	return e, i
}

// standing returns the index of the latest statement in force, or -1.
func (e *entry) standing() int {
	for i, s := range slices.Backward(e.statements) {
		if s.undone == 0 {
			return i
		}
	}
	return -1
}

// drop removes the statements that have passed.
func (e *entry) drop(wall int64, leeway time.Duration) {
	e.statements = slices.DeleteFunc(e.statements, func(s statement) bool { return s.passed(wall, leeway) })
}

// crowd removes statements until no more than most are left: undone ones first,
// then the oldest in force. What remains is later and still refuses all that
// those refused.
func (e *entry) crowd(most int) {
	for _, undone := range [...]bool{true, false} {
		for i := 0; len(e.statements) > most && i < len(e.statements)-1; {
			if (e.statements[i].undone != 0) == undone {
				e.statements = slices.Delete(e.statements, i, i+1)
			} else {
				i++
			}
		}
	}
}

// outlive moves the end of e to that of s if that is later, and reports whether
// the second in which it ends has changed.
func (e *memoryEntry) outlive(s statement, wall int64, leeway time.Duration) bool {
	before, existed := e.end, e.n != 0
	end, ends := s.ends(leeway)
	switch {
	case !ends || (existed && e.end == 0):
		e.end = 0
	default:
		e.end = max(e.end, end, wall/1000+1000)
	}
	return (before+999)/1000 != (e.end+999)/1000
}
