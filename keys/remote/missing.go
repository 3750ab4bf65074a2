package remote

import "time"

// maxMissing bounds the kids that are remembered for one issuer.
const maxMissing = 1024

// missing remembers the kids that a fetch was asked for. One that it did not
// bring then takes no fetch away from a kid that is really new, however often a
// client sends it; one that it brought is in the set and never looked up here.
// What is remembered lapses: a key may be published after the first token that
// names it.
type missing struct {
	life  time.Duration
	until time.Time
	kids  map[string]struct{}
}

func (m *missing) has(kid string, now time.Time) bool {
	_, there := m.kids[kid]
	return there && now.Before(m.until)
}

// replace forgets everything but the kids that a good fetch was asked for.
func (m *missing) replace(asked map[string]struct{}, now time.Time) {
	m.kids, m.until = asked, now.Add(m.life)
}
