package store

import (
	"encoding/binary"
	"errors"

	"tollgate/revocation"
)

// StatusEntry is what an index of a status list remembers of its token: all that
// a revocation can name it by.
type StatusEntry struct {
	Token   revocation.Digest // of the jti
	Session revocation.Digest
	Subject revocation.Digest
	Born    int64 // birth of the session, store time in µs
	// Acting is the log-in of who acts with the token in the subject's name.
	Acting StatusActor
	// Keys that signed the token: one, or several where the answer to a refresh was
	// lost and given again after a rotation; and for a token without jti what was
	// signed.
	Keys []revocation.Digest
}

// StatusActor is a log-in with which a token ends beside its own. The zero value:
// nobody acts.
type StatusActor struct {
	Session revocation.Digest // zero: the token does not name it
	Subject revocation.Digest
	Born    int64 // as that of the entry; 0 in the zero value alone
}

const (
	digestBytes = 16
	fixedBytes  = 3*digestBytes + 8 // as status_assign.lua has it
	actingBytes = 2*digestBytes + 8 // likewise: by the 8 it is seen whether they are there
)

var errEntry = errors.New("status entry of an unexpected shape")

// fixed is the part of the entry that never changes.
func (e StatusEntry) fixed() []byte {
	b := make([]byte, 0, fixedBytes)
	b = append(b, e.Token[:]...)
	b = append(b, e.Session[:]...)
	b = append(b, e.Subject[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Born))
	if a := e.Acting; a.Born != 0 {
		b = append(b, a.Session[:]...)
		b = append(b, a.Subject[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(a.Born))
	}
	return b
}

func parseStatusEntry(text string) (StatusEntry, error) {
	b := []byte(text)
	if len(b) < fixedBytes {
		return StatusEntry{}, errEntry
	}
	e := StatusEntry{
		Token: revocation.Digest(b[:16]), Session: revocation.Digest(b[16:32]), Subject: revocation.Digest(b[32:48]),
		Born: int64(binary.BigEndian.Uint64(b[48:56])),
	}
	rest := b[fixedBytes:]
	if len(rest)%digestBytes == actingBytes%digestBytes && len(rest) >= actingBytes {
		e.Acting = StatusActor{revocation.Digest(rest[:16]), revocation.Digest(rest[16:32]), int64(binary.BigEndian.Uint64(rest[32:40]))}
		rest = rest[actingBytes:]
	}
	if len(rest)%digestBytes != 0 {
		return StatusEntry{}, errEntry
	}
	for ; len(rest) > 0; rest = rest[digestBytes:] {
		e.Keys = append(e.Keys, revocation.Digest(rest[:digestBytes]))
	}
	return e, nil
}

// StatusSize is how many indexes a list has: 2^17, a list of 16 KiB before it is
// compressed. mostTokens of them are given away: in a fuller one the walk to a free
// index gets long.
const (
	StatusSize = 1 << 17
	mostTokens = StatusSize / 4 * 3
)

// way is the order in which the token's indexes are tried. It follows from the jti,
// which is random: so the index is as unpredictable as the jti, says nothing of how
// many tokens were issued before, and is the same one whenever the token is made
// again. An odd step visits every index of a size that is a power of two.
func (e StatusEntry) way() (first, step uint32) {
	first = binary.BigEndian.Uint32(e.Token[:4]) % StatusSize
	return first, binary.BigEndian.Uint32(e.Token[4:8])%StatusSize | 1
}
