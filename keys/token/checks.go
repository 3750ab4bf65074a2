package token

import (
	"sync"

	"tollgate/keys"
)

// checks are those of signatures that are under way, by the whole token's digest. Most
// are of a token that nobody else asks about: that costs one allocation.
type checks struct {
	mu    sync.Mutex
	under map[digest]*underWay
}

// underWay is one check. What it says may be read once it is over.
type underWay struct {
	over    sync.WaitGroup
	key     *keys.Key
	issuer  *Issuer
	id      *Identity
	refusal *Refusal
	done    bool // it came to an end, and not by a panic
}

// do checks, or waits for whoever checks the same token against the same key for the
// same issuer. A refusal is the caller's own to complete.
func (c *checks) do(d digest, key *keys.Key, issuer *Issuer, check func() (*Identity, *Refusal)) (*Identity, *Refusal) {
	c.mu.Lock()
	other := c.under[d]
	if other == nil {
		u := &underWay{key: key, issuer: issuer}
		u.over.Add(1)
		if c.under == nil {
			c.under = map[digest]*underWay{}
		}
		c.under[d] = u
		c.mu.Unlock()
		defer c.end(d, u)
		u.id, u.refusal = check()
		u.done = true
		return u.answer()
	}
	c.mu.Unlock()
	other.over.Wait()
	if !other.done || other.key != key || other.issuer != issuer {
		return check()
	}
	return other.answer()
}

// answer gives each who asks a refusal of its own.
func (u *underWay) answer() (*Identity, *Refusal) {
	if u.refusal == nil {
		return u.id, nil
	}
	own := *u.refusal
	return nil, &own
}

func (c *checks) end(d digest, u *underWay) {
	c.mu.Lock()
	delete(c.under, d)
	c.mu.Unlock()
	u.over.Done()
}
