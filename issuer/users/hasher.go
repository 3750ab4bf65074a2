package users

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
)

// patience is how long a caller waits for a slot before ErrBusy.
const patience = 2 * time.Second

// Hasher computes Argon2id for new hashes and whatever stored ones ask for, never
// more at once than its memory allows. It is safe for concurrent use.
type Hasher struct {
	// room counts KiB. A slot is one standard hash; an imported one that needs five
	// times the memory takes five.
	room     *semaphore.Weighted
	size     int64
	computed atomic.Uint64
	compute  func(password, salt []byte, time, memory uint32, threads uint8, n uint32) []byte
	decoy    stored
}

// NewHasher returns a hasher with room for slots hashes at once, each of 19 MiB.
// Zero or less means one slot for each processor: more would not be faster.
func NewHasher(slots int) *Hasher {
	if slots <= 0 {
		slots = runtime.GOMAXPROCS(0)
	}
	size := int64(slots) * int64(standard.memory)
	return &Hasher{
		room: semaphore.NewWeighted(size), size: size, compute: argon2.IDKey,
		// A sum of zeros: no password is known that yields it.
		decoy: stored{cost: standardCost(), salt: make([]byte, saltBytes), sum: make([]byte, sumBytes)},
	}
}

// Hash returns the password's hash as a PHC string with a fresh salt. It waits for
// a slot as long as ctx allows, two seconds at most, then fails with ErrBusy.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	p := phc{params: standard, salt: make([]byte, saltBytes)}
	_, _ = rand.Read(p.salt) // never fails: crypto/rand ends the process instead
	err := h.hold(ctx, standardCost(), func() {
		p.sum = h.compute([]byte(password), p.salt, p.time, p.memory, p.threads, sumBytes)
	})
	if err != nil {
		return "", err
	}
	return p.encode(), nil
}

// Verify reports whether the password has this hash, of any kind that CheckHash
// takes, and whether the hash should be made anew because it is not an argon2id of
// the standard cost. A text that is no such hash (an unusable password) matches
// nothing and costs as much as a wrong password. It waits as Hash does.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	s, err := parseStored(hash)
	if err != nil {
		return false, false, h.Dummy(ctx, password)
	}
	if ok, err = h.match(ctx, s, password); err != nil {
		return false, false, err
	}
	stale := s.cost != standardCost() || len(s.salt) != saltBytes || len(s.sum) != sumBytes
	return ok, ok && stale, nil
}

// Dummy spends what Verify spends on a standard hash, for a name that does not
// exist. Its error is ErrBusy or nil.
func (h *Hasher) Dummy(ctx context.Context, password string) error {
	_, err := h.match(ctx, h.decoy, password)
	return err
}

// level spends, after a refusal, whatever a log-in of another user of the same
// directory would have cost more: the time of an answer must not tell whether the
// name is there, nor that its password was imported.
func (h *Hasher) level(ctx context.Context, all costs, hash, password string) error {
	own := standardCost()
	if s, err := parseStored(hash); err == nil {
		own = s.cost
	}
	for _, c := range all.rest(own) {
		s, err := parseStored(c.decoy())
		if err != nil {
			return err
		}
		if _, err := h.match(ctx, s, password); err != nil {
			return err
		}
	}
	return nil
}

// match computes the hash of a password with a slot held and compares.
func (h *Hasher) match(ctx context.Context, s stored, password string) (ok bool, err error) {
	held := h.hold(ctx, s.cost, func() { ok, err = h.equal(s, password) })
	return ok && err == nil, errors.Join(held, err)
}

// hold runs compute with as much of the room as the cost takes.
func (h *Hasher) hold(ctx context.Context, c cost, compute func()) error {
	need := min(c.room(), h.size) // a hash larger than the whole room waits for all of it
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := h.room.Acquire(wait, need); err != nil {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	defer h.room.Release(need)
	h.computed.Add(1)
	compute()
	return nil
}
