package table

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"math/bits"
	"reflect"
	"sync"
	"sync/atomic"
)

// Digest names an entry.
type Digest = [16]byte

// Forever is the expiry of an entry that does not end.
const Forever uint32 = math.MaxUint32

// Shards is how many shards a structure has: sweeping that many is one round.
const Shards = 1 << shardBits

const shardBits = 12

// set is what Table and Cuts share: entries of digest, value and expiry.
type set[V any] struct {
	seeds [2]uint64
	dir   atomic.Pointer[directory[V]] // nil while there are no entries

	_ [64]byte // what follows is written with each entry: not in the readers' cache line

	count atomic.Int64
	bytes atomic.Int64 // of directory, shards and their slots

	mu      sync.Mutex // held by whoever writes; guards what follows, and each shard.used
	reserve int        // buckets that a shard begins with, from Reserve
	marked  int        // entries that a filter begins with room for, from Reserve
	next    int        // shard that the next sweep begins with
}

// directory is what a structure that is not empty consists of.
type directory[V any] struct {
	filters atomic.Pointer[filters] // told of an entry before its shard is
	shards  [Shards]atomic.Pointer[shard[V]]
	told    [groups]int // entries, since the group's filter was made, gone or not; the writer's
}

// seed draws what shard and slot of each digest depend on.
func (s *set[V]) seed() {
	var b [16]byte
	_, _ = rand.Read(b[:]) // ends the program rather than fail
	s.seeds = [2]uint64{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])}
}

// hash mixes a digest with the seeds. Both halves of the product are needed: the
// high one alone is not uniform, and the lowest bits of the low one are not mixed.
// Its first bits choose the shard, its last 32 the slot.
func (s *set[V]) hash(d *Digest) uint64 {
	hi, lo := bits.Mul64(
		binary.LittleEndian.Uint64(d[:8])^s.seeds[0],
		binary.LittleEndian.Uint64(d[8:])^s.seeds[1])
	return hi ^ lo
}

func shardOf(h uint64) int { return int(h >> (64 - shardBits)) }

// shard returns the shard of a hash as it is published now, nil when it is empty.
func (s *set[V]) shard(h uint64) *shard[V] {
	dir := s.dir.Load()
	if dir == nil {
		return nil
	}
	return dir.shards[shardOf(h)].Load()
}

// lookup returns the slot that holds d, nil when none does.
func (s *set[V]) lookup(d *Digest) *slot[V] {
	dir := s.dir.Load()
	if dir == nil {
		return nil
	}
	h := s.hash(d)
	if dir.filters.Load()[groupOf(h)].excludes(h) {
		return nil
	}
	return dir.shards[shardOf(h)].Load().find(h, d)
}

// all yields the slots of each shard as it is published when its turn comes, with
// the expiry that was read.
func (s *set[V]) all(yield func(*slot[V], uint32) bool) {
	dir := s.dir.Load()
	if dir == nil {
		return
	}
	for i := range dir.shards {
		sh := dir.shards[i].Load()
		if sh == nil {
			continue
		}
		for j := range sh.buckets {
			for k := range sh.buckets[j].slots {
				sl := &sh.buckets[j].slots[k]
				if e := atomic.LoadUint32(&sl.expires); e != 0 && !yield(sl, e) {
					return
				}
			}
		}
	}
}

func (s *set[V]) size() int {
	return int(s.bytes.Load() + sizeOf[set[V]]())
}

func sizeOf[T any]() int64 { return int64(reflect.TypeFor[T]().Size()) }
