// Package table keeps what is revoked in memory, for readers that take no lock: a
// [Table] is an exact set of digests with the second at which each is over, [Cuts]
// an exact map from digests to cut-off and end. It knows no kinds, no Redis and no
// clock: what an entry means, and whether it is over, is its caller's to say. It
// imports no other package of tollgate.
//
// # How it is laid out
//
// A directory of 4,096 shards, each an array of buckets of three slots, searched one
// after the other from the bucket that the digest names. A slot of a Table takes 20
// bytes and its bucket 64, one line of a processor's cache; a slot of Cuts takes 28.
// Each bucket says whether an entry had to go past it, so that most searches read one
// line, whether they find something or not. Arrays have the sizes that the allocator
// gives out anyway and are at most 13 sixteenths full. A shard grows by a quarter, a
// large one by an eighth, so that at 10 million entries one takes under 32 bytes. No
// array holds a pointer: the garbage collector does not look into it. An empty table
// has no directory.
//
// # The filters
//
// Nearly every look-up is for what is not there, and the arrays of a large table are
// in no cache. So each 16 shards have a filter of one to one and a half bytes an entry
// before them: each entry sets three bits of the word that its hash names, and whoever
// finds one of the three unset need not look further. It says nothing but "certainly
// not here"; of what is not there it lets 1 to 3 in a hundred go on to the shards,
// which decide as they would without it. The heads of all filters stand side by side,
// 6 KiB that stay in a cache, so that only the one word has to be waited for.
//
// Bits are never cleared in a published filter. One that was told of as many entries
// as it has room for, and one of which half has gone when a sweep comes by, is made
// anew from the shards: at 10 million entries 0.3 ms of the writer's.
//
// # Why readers need no lock
//
//   - A slot is empty until its expiry, never 0, is stored; that is its last word to
//     be written, and atomically, so that whoever sees it sees the digest too.
//   - In a published array digest and value of a taken slot never change. Only its
//     expiry does, and only upwards; and a bucket's word that it was passed, which is
//     given before the entry that passed it.
//   - An entry's bits in the filter are stored, atomically, before its expiry, or its
//     filter is published before its array: whoever has seen the entry, or was told
//     that it is entered, finds them set. A reader that has an older filter in hand
//     began before that.
//   - Everything else (growing, deleting, sweeping, another cut-off) builds a new
//     array or filter and publishes it through an atomic pointer. A reader that still
//     walks the old one finds what was there when it began.
//
// Writers exclude each other by one lock for each structure, held for one entry or
// for one shard of a sweep.
//
// # Against aimed digests
//
// A digest is a part of a SHA-256, but people choose some of what is hashed, and
// trying until 20 or 40 bits come out as wished is cheap. So shard and slot are not
// taken from the digest itself: each structure mixes it with two random words of its
// own, and nobody outside can aim at one shard or one run of slots.
package table
