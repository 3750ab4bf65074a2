package gateway

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// frame builds one WebSocket frame with a payload of n bytes.
func frame(n int, masked bool) []byte {
	out := []byte{0x82}
	mask := byte(0)
	if masked {
		mask = 0x80
	}
	switch {
	case n < 126:
		out = append(out, mask|byte(n))
	case n < 1<<16:
		out = binary.BigEndian.AppendUint16(append(out, mask|126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, mask|127), uint64(n))
	}
	if masked {
		out = append(out, 1, 2, 3, 4)
	}
	return append(out, bytes.Repeat([]byte{0x88}, n)...) // a payload that looks like a head
}

// However the bytes are cut, a boundary is seen exactly where a frame ends.
func TestFramesSeeBoundaries(t *testing.T) {
	var stream []byte
	ends := map[int]bool{0: true}
	for i, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 70000, 0, 0, 3} {
		stream = append(stream, frame(n, i%3 == 0)...)
		ends[len(stream)] = true
	}
	for range 200 {
		var f frames
		for at := 0; at < len(stream); {
			if f.boundary() != ends[at] {
				t.Fatalf("at %d: boundary %v", at, f.boundary())
			}
			n := min(1+rand.IntN(1+rand.IntN(5000)), len(stream)-at)
			f.advance(stream[at : at+n])
			at += n
		}
		if !f.boundary() {
			t.Fatal("no boundary at the end")
		}
	}
}

// left never leads beyond the frame that has begun.
func TestFramesLeft(t *testing.T) {
	stream := append(frame(300, false), frame(70000, true)...)
	first := len(frame(300, false))
	var f frames
	f.advance(stream[:1])
	at := 1
	for !f.boundary() {
		n := f.left()
		if n < 1 || at+n > first {
			t.Fatalf("at %d: left %d goes beyond %d", at, n, first)
		}
		f.advance(stream[at : at+n])
		at += n
	}
	if at != first {
		t.Errorf("ended at %d, want %d", at, first)
	}
}
