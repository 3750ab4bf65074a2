package revocation

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// overFor is how long a record must have been over before it is left out: ends were
// computed by Redis's clock. It counts by this machine's clock and by the latest store time
// that the file knows of: one that is hours ahead while a machine starts, and is put right
// later, must not take out what is in force. A feed is not read again for it.
const overFor = 10 * time.Minute

// journalIndex says where the records of use are, about 100 bytes for each of them. It
// is made when it is needed, and not kept.
type journalIndex struct {
	refs     map[Digest]journalRef
	position Position // none when records are damaged: it speaks of those, too
	known    int64    // latest store time (µs) of any record and position
	good     int64    // end of the last whole frame
	lost     int64    // bytes that are damaged in the middle
	live     int64    // bytes of frames that are of use
}

// journalRef is what is of use of one digest.
type journalRef struct {
	at, size   int64 // frame of the record in force
	detail     int64 // frame of the latest record with a detail; 0: none
	detailSize int64
	change     int64 // At of the record in force
	undone     int64 // the latest of all records
	expires    int64
	revoked    bool
}

// indexJournal reads what r holds.
func indexJournal(r io.Reader) (*journalIndex, error) {
	frames, err := newFrameReader(r)
	if err != nil {
		return nil, err
	}
	x := &journalIndex{refs: map[Digest]journalRef{}}
	for {
		at, payload, err := frames.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		k, p, err := parsePayload(payload)
		if err != nil {
			return nil, fmt.Errorf("at byte %d: %w", at, err)
		}
		if p != nil {
			x.position, x.known = *p, max(x.known, p.ID)
		} else {
			x.add(k, at, int64(frameHead+len(payload)))
		}
	}
	x.good, x.lost = frames.good, frames.lost
	if x.lost > 0 {
		x.position = Position{}
	}
	over := min(time.Now().Unix(), x.known/microsPerSecond) - int64(overFor/time.Second)
	for d, ref := range x.refs {
		if ref.expires != 0 && ref.expires <= over {
			delete(x.refs, d)
			continue
		}
		x.live += ref.size
		if ref.detail != 0 && ref.detail != ref.at {
			x.live += ref.detailSize
		}
	}
	return x, nil
}

// add takes one record. The latest change counts; of two at the same time the one that
// refuses, else the one that was written later. What has no date counts least, but for
// what it says of a later life of the entry. No end comes nearer.
func (x *journalIndex) add(k *Kept, at, size int64) {
	ref, known := x.refs[k.Digest]
	newer := k.At > ref.change || k.At == ref.change && (k.Cut != 0 || !ref.revoked)
	if is, was := expiryOf(k.record()), expiryOf(Record{ExpiresAt: ref.expires}); known && newer {
		newer = ref.change > 1 || !ref.revoked || !laterLife(was, is)
	} else if known {
		newer = k.Cut != 0 && k.Undone == 0 && laterLife(is, was)
	}
	if !known || newer {
		ref.at, ref.size = at, size
		ref.change, ref.revoked = k.At, k.Cut != 0
	}
	if !known || ref.expires != 0 && (k.ExpiresAt == 0 || k.ExpiresAt > ref.expires) {
		ref.expires = k.ExpiresAt
	}
	if k.Detail != nil {
		ref.detail, ref.detailSize = at, size
	}
	x.known = max(x.known, k.At)
	ref.undone = max(ref.undone, k.Undone)
	x.refs[k.Digest] = ref
}

// each calls yield with every record of use, in the order of the file, until it
// returns false. file must be what the index was made of.
func (x *journalIndex) each(file io.ReaderAt, yield func(Kept) bool) error {
	frames, err := newFrameReader(io.NewSectionReader(file, 0, x.good))
	if err != nil {
		return err
	}
	for {
		at, payload, err := frames.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		k, _, err := parsePayload(payload)
		if err != nil {
			return err
		}
		if k == nil {
			continue
		}
		ref, ok := x.refs[k.Digest]
		if !ok || ref.at != at {
			continue
		}
		k.Undone, k.ExpiresAt = ref.undone, ref.expires
		if k.Detail == nil && ref.detail != 0 {
			if err = ref.describe(file, k); err != nil {
				return err
			}
		}
		if !yield(*k) {
			return nil
		}
	}
}

// describe gives k the detail of another record of its digest. If that is of another
// statement than the one in force, why and by whom that was made is not known.
func (ref journalRef) describe(file io.ReaderAt, k *Kept) error {
	frame := make([]byte, ref.detailSize)
	if _, err := file.ReadAt(frame, ref.detail); err != nil {
		return fmt.Errorf("read detail: %w", err)
	}
	other, _, err := parsePayload(frame[frameHead:])
	if err != nil || other == nil {
		return errors.Join(errJournalNewer, err)
	}
	if k.Detail = other.Detail; k.Cut != 0 && k.Cut != other.Cut {
		k.Detail.Reason, k.Detail.Actor = restored, ""
	}
	return nil
}
