package revocation

import (
	"cmp"
	"context"
	"slices"
)

// Get returns one statement.
func (m *Memory) Get(ctx context.Context, id string) (Revocation, error) {
	d, at, ok := parseID(id)
	if !ok {
		return Revocation{}, ErrNotFound
	}
	if err := alive(ctx); err != nil {
		return Revocation{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	e, i := m.find(d, at)
	if e == nil {
		return Revocation{}, ErrNotFound
	}
	return e.revocation(e.statements[i]), nil
}

// List returns statements, those of the most recently written entry first. Its
// cursors are sequences where those of Redis are stream ids.
func (m *Memory) List(ctx context.Context, f Filter) (Page, error) {
	p, err := newPager(f, m.settings.Leeway)
	if err != nil {
		return Page{}, err
	}
	if err := alive(ctx); err != nil {
		return Page{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	wall := m.wall()
	var entries []*memoryEntry
	for _, e := range m.entries {
		record := int64(e.n)
		below := p.from.record == 0 || record < p.from.record || (record == p.from.record && p.from.statement != 0)
		if below && !e.ended(wall) {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b *memoryEntry) int { return cmp.Compare(b.n, a.n) })
	for _, e := range entries {
		if !p.add(int64(e.n), &e.entry, wall) {
			break
		}
	}
	return p.page, nil
}
