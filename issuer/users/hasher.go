package users

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
)

// patience is how long a caller waits for a slot before ErrBusy.
const patience = 2 * time.Second

// Hasher computes Argon2id, never more at once than its memory allows. It is safe
// for concurrent use.
type Hasher struct {
	// room counts KiB. A slot is one standard hash; an imported one that needs five
	// times the memory takes five.
	room     *semaphore.Weighted
	size     int64
	computed atomic.Uint64
	compute  func(password, salt []byte, time, memory uint32, threads uint8, n uint32) []byte
	decoy    phc
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
		decoy: phc{params: standard, salt: make([]byte, saltBytes), sum: make([]byte, sumBytes)},
	}
}

// Computed returns how many hashes this hasher has computed, for a metric, and for
// a test that an unknown name costs as many as a known one.
func (h *Hasher) Computed() uint64 { return h.computed.Load() }

// Hash returns the password's hash as a PHC string with a fresh salt. It waits for
// a slot as long as ctx allows, two seconds at most, then fails with ErrBusy.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	p := phc{params: standard, salt: make([]byte, saltBytes)}
	_, _ = rand.Read(p.salt) // never fails: crypto/rand ends the process instead
	var err error
	if p.sum, err = h.sum(ctx, p, password, sumBytes); err != nil {
		return "", err
	}
	return p.encode(), nil
}

// Verify reports whether the password has this hash, and whether the hash should be
// made anew because its cost is not the standard one. A text that is no argon2id
// hash (an unusable password) matches nothing and costs as much as a wrong
// password. It waits as Hash does.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	p, err := parsePHC(hash)
	if err != nil {
		return false, false, h.Dummy(ctx, password)
	}
	sum, err := h.sum(ctx, p, password, len(p.sum))
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(sum, p.sum) == 1
	stale := p.params != standard || len(p.salt) != saltBytes || len(p.sum) != sumBytes
	return ok, ok && stale, nil
}

// Dummy spends what Verify spends on a standard hash, for a name that does not
// exist. Its error is ErrBusy or nil.
func (h *Hasher) Dummy(ctx context.Context, password string) error {
	sum, err := h.sum(ctx, h.decoy, password, sumBytes)
	if err == nil {
		subtle.ConstantTimeCompare(sum, h.decoy.sum)
	}
	return err
}

func (h *Hasher) sum(ctx context.Context, p phc, password string, n int) ([]byte, error) {
	need := min(int64(p.memory), h.size) // a hash larger than the whole room waits for all of it
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := h.room.Acquire(wait, need); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBusy, err)
	}
	defer h.room.Release(need)
	h.computed.Add(1)
	return h.compute([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(n)), nil
}
