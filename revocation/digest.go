package revocation

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Digest names an entry: the first 16 bytes of a SHA-256 over issuer, kind and
// id. Ids come from tokens and from people; behind a digest none of them can
// reach into another's name, whatever bytes it holds.
type Digest [16]byte

// DigestOf returns the digest of what kind and id name at issuer. Each part is
// preceded by its length in bytes (4, big-endian), so that no two different
// triples are hashed from the same bytes.
func DigestOf(issuer string, kind Kind, id string) Digest {
	b := make([]byte, 0, 256) // on the stack for ids of the usual size
	for _, part := range [...]string{issuer, string(kind), id} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	sum := sha256.Sum256(b)
	return Digest(sum[:len(Digest{})])
}

// String returns the digest as 32 lower-case hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// parseDigest reads exactly what String writes.
func parseDigest(s string) (d Digest, ok bool) {
	if !d.decode([]byte(s)) {
		return Digest{}, false
	}
	return d, true
}

// decode reads exactly what String writes. Upper case is not ours.
func (d *Digest) decode(text []byte) bool {
	if len(text) != hex.EncodedLen(len(d)) {
		return false
	}
	for i := range d {
		high, low := nibble(text[2*i]), nibble(text[2*i+1])
		if high|low > 15 {
			return false
		}
		d[i] = high<<4 | low
	}
	return true
}

// nibble is the value of a hexadecimal digit; of anything else more than 15.
func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}
