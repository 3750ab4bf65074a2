package revocation

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A journal is a head and then frames, numbers little-endian:
//
//	head   magic (16 bytes), salt (8 random bytes)
//	frame  length of the payload (4), CRC32C of salt, length and payload (4), payload
//
// The salt keeps a text that somebody chose (a subject) from ever being read as a
// frame, where a reader looks for the next one after damage. Payloads:
//
//	1  digest (16), kind (length 1, text), cut, at, exp, undone (8 each), then 0, or
//	   1 and issuer, value, subject, reason, actor (length 2, text)
//	3  as 1, and then below (length 2, text), which is not empty
//	2  n, stream id (8 each), level (1), epoch id and nonce (length 2, text)
const (
	journalMagic = "tollgate rj 1\n\r\n"
	journalHead  = len(journalMagic) + journalSalt
	journalSalt  = 8
	frameHead    = 8
	frameMost    = 8 << 10 // longest payload; five texts of MaxText are 5 KiB
	kindMost     = 32
	belowMost    = 512
	payloadKept  = 1
	payloadMark  = 2
	payloadBelow = 3
)

// errJournalNewer says that a whole frame holds something that is not known here.
var errJournalNewer = errors.New("written by another version: run that one, or move the file away, and with it what is known nowhere else")

// appendFrame appends a frame of which payload returns the payload. Its checksum is
// put in by seal, because the salt is the file's.
func appendFrame(b []byte, payload func([]byte) []byte) []byte {
	from := len(b)
	b = payload(append(b, make([]byte, frameHead)...))
	binary.LittleEndian.PutUint32(b[from:], uint32(len(b)-from-frameHead))
	return b
}

// seal puts the checksums into frames.
func seal(frames []byte, salt []byte) {
	for len(frames) > 0 {
		n := frameHead + int(binary.LittleEndian.Uint32(frames))
		binary.LittleEndian.PutUint32(frames[4:], checksum(frames[:n], salt))
		frames = frames[n:]
	}
}

func checksum(frame, salt []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // made once by the library
	sum := crc32.Update(0, table, salt)
	sum = crc32.Update(sum, table, frame[:4])
	return crc32.Update(sum, table, frame[frameHead:])
}

// appendKept appends the frame of a record, or ErrInvalid.
func appendKept(b []byte, k *Kept) ([]byte, error) {
	if len(k.Kind) > kindMost {
		return nil, fmt.Errorf("%w: kind longer than %d bytes", ErrInvalid, kindMost)
	}
	var texts []string
	if d := k.Detail; d != nil {
		texts = []string{d.Issuer, d.Value, d.Subject, d.Reason, d.Actor}
	}
	for _, t := range texts {
		if len(t) > MaxText {
			return nil, fmt.Errorf("%w: detail longer than %d bytes", ErrInvalid, MaxText)
		}
	}
	if len(k.Below) > belowMost {
		return nil, fmt.Errorf("%w: below longer than %d bytes", ErrInvalid, belowMost)
	}
	return appendFrame(b, func(b []byte) []byte {
		payload := byte(payloadKept)
		if k.Below != "" {
			payload = payloadBelow
		}
		b = append(append(b, payload), k.Digest[:]...)
		b = append(append(b, byte(len(k.Kind))), k.Kind...)
		for _, n := range [...]int64{k.Cut, k.At, k.ExpiresAt, k.Undone} {
			b = binary.LittleEndian.AppendUint64(b, uint64(n))
		}
		b = appendTexts(append(b, byte(len(texts)/5)), texts...)
		if payload == payloadBelow {
			b = appendTexts(b, k.Below)
		}
		return b
	}), nil
}

// appendPosition appends the frame of a position.
func appendPosition(b []byte, p Position) []byte {
	return appendFrame(b, func(b []byte) []byte {
		b = binary.LittleEndian.AppendUint64(append(b, payloadMark), p.N)
		b = binary.LittleEndian.AppendUint64(b, uint64(p.ID))
		return appendTexts(append(b, flag(p.Level)[0]-'0'), p.Epoch, p.Nonce)
	})
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, t := range texts {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(t)))
		b = append(b, t...)
	}
	return b
}

// payloadReader reads a payload; after a shortage it is bad and reads nothing.
type payloadReader struct {
	rest []byte
	bad  bool
}

func (r *payloadReader) take(n int) []byte {
	if n > len(r.rest) {
		r.rest, r.bad = nil, true
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *payloadReader) flag() bool {
	b := r.take(1)[0]
	r.bad = r.bad || b > 1
	return b == 1
}

func (r *payloadReader) number() int64 {
	return int64(binary.LittleEndian.Uint64(r.take(8)))
}

func (r *payloadReader) text() string {
	return string(r.take(int(binary.LittleEndian.Uint16(r.take(2)))))
}

// parsePayload reads a payload: a record, or a position.
func parsePayload(b []byte) (k *Kept, p *Position, err error) {
	r := &payloadReader{rest: b}
	switch payload := r.take(1)[0]; payload {
	case payloadKept, payloadBelow:
		k = &Kept{Digest: Digest(r.take(len(Digest{})))}
		k.Kind = Kind(r.take(int(r.take(1)[0])))
		k.Cut, k.At, k.ExpiresAt, k.Undone = r.number(), r.number(), r.number(), r.number()
		if r.flag() {
			k.Detail = &Detail{r.text(), r.text(), r.text(), r.text(), r.text()}
		}
		if payload == payloadBelow {
			k.Below = r.text()
		}
	case payloadMark:
		p = &Position{N: uint64(r.number()), ID: r.number(), Level: r.flag()}
		p.Epoch, p.Nonce = r.text(), r.text()
	default:
		r.bad = true
	}
	if r.bad || len(r.rest) > 0 {
		return nil, nil, errJournalNewer
	}
	return k, p, nil
}

// frameReader reads frames. What is no frame is passed over byte by byte: behind
// damage there may be more that was acknowledged.
type frameReader struct {
	r    *bufio.Reader
	salt []byte
	off  int64 // of what is read next
	good int64 // end of the last whole frame, or of the head
	lost int64 // bytes passed over before whole frames
}

// errNoJournal says that a file begins otherwise than a journal.
var errNoJournal = errors.New("not a journal of revocations")

// newFrameReader reads the head.
func newFrameReader(r io.Reader) (*frameReader, error) {
	head := make([]byte, journalHead)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("read head: %w", err)
	}
	if !bytes.HasPrefix(head, []byte(journalMagic)) {
		return nil, errNoJournal
	}
	at := int64(journalHead)
	return &frameReader{bufio.NewReaderSize(r, 64<<10), head[len(journalMagic):], at, at, 0}, nil
}

// next returns the next whole frame's place and payload, which holds until the next
// call; io.EOF after the last.
func (f *frameReader) next() (at int64, payload []byte, err error) {
	for {
		head, err := f.r.Peek(frameHead)
		if err != nil {
			return 0, nil, err
		}
		if n := int(binary.LittleEndian.Uint32(head)); n > 0 && n <= frameMost {
			frame, err := f.r.Peek(frameHead + n)
			if err != nil && !errors.Is(err, io.EOF) {
				return 0, nil, err
			}
			if err == nil && checksum(frame, f.salt) == binary.LittleEndian.Uint32(frame[4:]) {
				at = f.off
				f.lost += at - f.good
				f.off += int64(len(frame))
				f.good = f.off
				_, err = f.r.Discard(len(frame))
				return at, frame[frameHead:], err
			}
		}
		f.off++
		if _, err := f.r.Discard(1); err != nil {
			return 0, nil, err
		}
	}
}
