package revocation

import (
	"encoding/binary"
	"sync/atomic"
)

// changes knows what may have been said of a digest since some moment, so that a token
// of which nothing was in force then need not be looked up again. It numbers what is
// entered, and keeps the number of the last for each of 16,384 parts of all digests:
// 128 KiB that lie in a processor's cache, however much is revoked. The zero value has
// seen no change.
//
// A change is noted after the tables show it, and acknowledged to nobody before it is
// noted. So whoever has read the count finds in the tables all that it counts, and
// whoever asks after an acknowledgement finds the change in its part.
type changes struct {
	count  atomic.Uint64
	latest [changeParts]atomic.Uint64
}

// changeParts is a power of two, at most 65,536. At 50 changes a second a token with five
// digests is looked up again about once a minute for what concerned others.
const changeParts = 1 << 14

// partOf is where changes of d are noted. Who aims at a part has others looked up anew.
func partOf(d *Digest) uint16 { return binary.LittleEndian.Uint16(d[:2]) % changeParts }

// note counts a change of d that the tables show. The caller holds the mirror's mu.
func (c *changes) note(d *Digest) {
	n := c.count.Load() + 1
	c.latest[partOf(d)].Store(n)
	c.count.Store(n)
}

// moment is what to give since; take it before looking. It is never 0.
func (c *changes) moment() uint64 { return c.count.Load() + 1 }

// since says whether anything of these parts may have changed since that moment. Since
// moment 0 it may.
func (c *changes) since(moment uint64, parts []uint16) bool {
	if moment == 0 {
		return true
	}
	for _, p := range parts {
		if c.latest[p%changeParts].Load() >= moment {
			return true
		}
	}
	return false
}
