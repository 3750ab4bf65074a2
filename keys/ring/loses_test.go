package ring

import (
	"testing"
	"time"

	"tollgate/keys"
)

// TestLoses says what counts as a loss. The keys here have no material: loses
// looks at ids, states and times only.
func TestLoses(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := Settings{Algorithms: []keys.Algorithm{keys.ES256}, TokenLife: 10 * time.Minute}
	k := func(id string, st State) Key {
		return Key{ID: id, State: st, PublishedUntil: now.Add(5 * time.Minute)}
	}
	short := k("a", Retired)
	short.PublishedUntil = now.Add(clockSlack)
	for name, c := range map[string]struct {
		held, read Ring
		confirmed  time.Duration // ago
		want       bool
	}{
		"the same":                    {Ring{Version: 3}, Ring{Version: 3}, 0, false},
		"an older version":            {Ring{Version: 3}, Ring{Version: 2}, 0, true},
		"nothing":                     {Ring{Version: 3}, Ring{}, 0, true},
		"a later version":             {Ring{Version: 3, Keys: []Key{k("a", Pending)}}, Ring{Version: 4, Keys: []Key{k("a", Active)}}, 0, false},
		"revoked is active again":     {Ring{Version: 3, Keys: []Key{k("a", Revoked)}}, Ring{Version: 4, Keys: []Key{k("a", Active)}}, 0, true},
		"retired is active again":     {Ring{Version: 3, Keys: []Key{k("a", Retired)}}, Ring{Version: 3, Keys: []Key{k("a", Active)}}, 0, true},
		"active is pending again":     {Ring{Version: 3, Keys: []Key{k("a", Active)}}, Ring{Version: 9, Keys: []Key{k("a", Pending)}}, 0, true},
		"revoked is gone":             {Ring{Version: 3, Keys: []Key{k("a", Revoked)}}, Ring{Version: 4}, time.Hour, true},
		"retired is gone early":       {Ring{Version: 3, Keys: []Key{k("a", Retired)}}, Ring{Version: 4}, 0, true},
		"retired is gone in time":     {Ring{Version: 3, Keys: []Key{short}}, Ring{Version: 4}, 0, false},
		"active is gone":              {Ring{Version: 3, Keys: []Key{k("a", Active)}}, Ring{Version: 4}, time.Minute, true},
		"active is gone since long":   {Ring{Version: 3, Keys: []Key{k("a", Active)}}, Ring{Version: 4}, 10 * time.Minute, false},
		"pending is gone":             {Ring{Version: 3, Keys: []Key{k("a", Pending)}}, Ring{Version: 4}, 0, false},
		"pending became revoked":      {Ring{Version: 3, Keys: []Key{k("a", Pending)}}, Ring{Version: 4, Keys: []Key{k("a", Revoked)}}, 0, false},
		"a key that was not there":    {Ring{Version: 3}, Ring{Version: 4, Keys: []Key{k("b", Pending)}}, 0, false},
		"one of several is forgotten": {Ring{Version: 3, Keys: []Key{k("a", Pending), k("b", Revoked)}}, Ring{Version: 4, Keys: []Key{k("a", Active)}}, 0, true},
	} {
		if got := c.held.loses(c.read, now.Add(-c.confirmed), now, s); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestElapsedTakesTheLargerClock(t *testing.T) {
	from := time.Now()
	if d := elapsed(from, from.Add(time.Second)); d != time.Second {
		t.Errorf("both clocks: %s", d)
	}
	// The wall clock jumped by an hour while the monotonic one stood still, as
	// after a suspended machine: two readings with the same monotonic part.
	wall := from.Round(0).Add(time.Hour)
	if d := elapsed(from, wall); d != time.Hour {
		t.Errorf("wall clock ahead: %s", d)
	}
	if d := elapsed(wall, from); d != -time.Hour {
		t.Errorf("a clock set back: %s", d)
	}
}

func TestSigningKeyIsTheFirstAlgorithms(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	k := func(id string, alg keys.Algorithm, st State, age time.Duration) Key {
		return Key{ID: id, Algorithm: alg, State: st, Activated: now.Add(-age)}
	}
	r := Ring{Keys: []Key{
		k("old rs", keys.RS256, Active, time.Hour), k("es", keys.ES256, Active, time.Hour), k("ed", keys.EdDSA, Pending, 0),
		k("ps", keys.PS256, Active, time.Minute), k("gone", keys.ES384, Retired, 0),
	}}
	for _, c := range []struct {
		algs []keys.Algorithm
		want string
	}{
		{[]keys.Algorithm{keys.ES256, keys.RS256}, "es"},
		{[]keys.Algorithm{keys.RS256, keys.ES256}, "old rs"},
		{[]keys.Algorithm{keys.EdDSA, keys.ES256}, "es"}, // EdDSA is not published long enough
		{[]keys.Algorithm{keys.EdDSA}, "ps"},             // made last
		{[]keys.Algorithm{keys.ES384}, "ps"},
	} {
		if got := r.signing(Settings{Algorithms: c.algs}).ID; got != c.want {
			t.Errorf("%v: %s signs, want %s", c.algs, got, c.want)
		}
	}
	if _, err := newSigners(Ring{}, Settings{}, noSigner{}); err == nil {
		t.Error("a ring without keys signs")
	}
}
