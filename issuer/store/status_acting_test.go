package store_test

import (
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"tollgate/issuer/store"
	"tollgate/revocation"
)

// TestActingEntry: an entry with an actor comes back whole, with any number of keys,
// beside entries without.
func TestActingEntry(t *testing.T) {
	onEachStatus(t, func(t *testing.T, client redis.UniversalClient) {
		s := store.NewStatusLists(client, "t:")
		acting := store.StatusActor{Session: digest("his session"), Subject: digest("him"), Born: 1_600_000_000_000_000}
		with, without := order("with", ""), order("without", "k1")
		with.Entry.Acting = acting
		index, other := mustAssign(t, s, with), mustAssign(t, s, without)
		for keys, key := range []string{"k1", "k2", "k3"} {
			read := map[int]store.StatusEntry{}
			mustRead(t, s, store.StatusPosition{}, read)
			if e := read[index]; e.Acting != acting || len(e.Keys) != keys || e.Born != with.Entry.Born {
				t.Errorf("%d keys: %+v", keys, e)
			}
			if e := read[other]; e.Acting != (store.StatusActor{}) || !slices.Equal(e.Keys, []revocation.Digest{digest("k1")}) {
				t.Errorf("without an actor: %+v", e)
			}
			with.Key = digest(key)
			if got := mustAssign(t, s, with); got != index {
				t.Errorf("another index: %d, was %d", got, index)
			}
		}
	})
}
