package ring

import (
	"cmp"
	"slices"
	"time"

	"tollgate/keys"
)

// Merge joins two rings of one issuer into one that forgets nothing that
// matters of either: each key in the state that is further in its life, so that
// revoked wins. The ring with the higher version goes on; of keys that only the
// other one knows, an active one is retired, so that its tokens live on, and a
// pending one is dropped: it never signed, and verifiers may not have it. The
// result has a higher version than both.
//
// It is what mends a store that was rolled back or emptied; Advance belongs
// after it.
func Merge(a, b Ring, now time.Time, s Settings) Ring {
	if b.Version > a.Version {
		a, b = b, a
	}
	now = now.UTC().Round(0)
	out := a.clone()
	out.Version = a.Version + 1
	for _, k := range b.Keys {
		i := slices.IndexFunc(out.Keys, func(o Key) bool { return o.ID == k.ID })
		switch {
		case i >= 0:
			out.Keys[i] = further(out.Keys[i], k)
			continue
		case k.State == Pending:
			continue
		case k.State == Active:
			k.retire(now, s)
		}
		out.Keys = append(out.Keys, k)
	}
	return out.oneActive(now, s)
}

// further returns what both records of one key say together.
func further(a, b Key) Key {
	if b.State.rank() > a.State.rank() {
		a, b = b, a
	}
	a.Activated = cmp.Or(a.Activated, b.Activated)
	a.Retired = cmp.Or(a.Retired, b.Retired)
	a.TokenLife = max(a.TokenLife, b.TokenLife)
	if a.State == Retired && b.State == Retired && b.PublishedUntil.After(a.PublishedUntil) {
		a.PublishedUntil = b.PublishedUntil
	}
	return a
}

// oneActive leaves one active key for each algorithm, the oldest: the other ring
// may have activated what is pending in this one.
func (r Ring) oneActive(now time.Time, s Settings) Ring {
	seen := map[keys.Algorithm]bool{}
	for i := range r.Keys {
		k := &r.Keys[i]
		if k.State != Active {
			continue
		}
		if seen[k.Algorithm] {
			k.retire(now, s)
		}
		seen[k.Algorithm] = true
	}
	return r
}

// loses reports whether the ring read from the store has forgotten something
// that this one, which is held, knows: it is older, or it descends from an older
// one. The held ring was confirmed at the given time.
func (r Ring) loses(read Ring, confirmed, now time.Time, s Settings) bool {
	if read.Version < r.Version {
		return true
	}
	there := make(map[string]State, len(read.Keys))
	for _, k := range read.Keys {
		there[k.ID] = k.State
	}
	for _, k := range r.Keys {
		if state, ok := there[k.ID]; ok {
			if state.rank() < k.State.rank() {
				return true
			}
			continue
		}
		switch {
		case k.State == Revoked:
			return true // revoked keys stay in the ring for good
		case k.State == Retired && k.PublishedUntil.After(now.Add(clockSlack)):
			return true
		case k.State == Active && now.Sub(confirmed) < s.life(k):
			// Others may have retired it since we last looked, but it would still
			// have to be published: a token that it signed may be alive.
			return true
		}
	}
	return false
}
