package users

import (
	"context"
	"slices"
	"sync"
	"time"
)

// kindsAge is how long a process goes without asking which kinds of hashes there
// are. Another process may import users meanwhile; their first minute may be told
// from a refusal's time.
const kindsAge = time.Minute

// kinds remembers which costs the imported hashes of a directory have.
type kinds struct {
	mu    sync.Mutex
	costs costs
	asked time.Time // zero: never
}

// costs returns the costs of the hashes in the directory beside the standard one.
// What cannot be read in the list is passed over: it only evens out times.
func (r *Redis) costs(ctx context.Context) (costs, error) {
	r.kinds.mu.Lock()
	all, fresh := r.kinds.costs, !r.kinds.asked.IsZero() && time.Since(r.kinds.asked) < kindsAge
	r.kinds.mu.Unlock()
	if fresh {
		return all, nil
	}
	began := time.Now()
	list, err := r.client.SMembers(ctx, r.names.costs()).Result()
	if err != nil {
		return nil, unavailable("read kinds of hashes", err)
	}
	all = nil
	for _, text := range list {
		if c, err := parseCost(text); err == nil {
			all = all.with(c)
		}
	}
	r.kinds.mu.Lock()
	r.kinds.costs, r.kinds.asked = all, began
	r.kinds.mu.Unlock()
	return all, nil
}

// note enters the cost of a hash that is about to be stored.
func (r *Redis) note(ctx context.Context, c cost) error {
	if c == standardCost() {
		return nil
	}
	known, err := r.costs(ctx)
	if err != nil {
		return err
	}
	if slices.Equal(known, known.with(c)) {
		return nil
	}
	if err := r.client.SAdd(ctx, r.names.costs(), c.text()).Err(); err != nil {
		return unavailable("note kind of hash", err)
	}
	r.kinds.mu.Lock()
	r.kinds.costs = r.kinds.costs.with(c)
	r.kinds.mu.Unlock()
	return nil
}
