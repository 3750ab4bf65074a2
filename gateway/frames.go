package gateway

import (
	"encoding/binary"

	"tollgate/keys/token"
)

// frames follows the frames of one direction of a WebSocket, RFC 6455 section
// 5.2, without looking into them.
type frames struct {
	head    [14]byte // of the frame that is being read
	have    int      // bytes of head
	payload uint64   // bytes of payload still to come
}

// boundary reports whether the last byte seen was the last of a frame.
func (f *frames) boundary() bool { return f.have == 0 && f.payload == 0 }

// left is how many bytes may be read without going beyond the present frame: at
// least 1.
func (f *frames) left() int {
	switch {
	case f.payload > 0:
		return int(min(f.payload, 1<<20))
	case f.have > 0:
		return f.headSize() - f.have
	}
	return 1
}

// headSize is the size of the head as far as its first bytes tell.
func (f *frames) headSize() int {
	if f.have < 2 {
		return 2
	}
	size := 2
	switch f.head[1] & 0x7f {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if f.head[1]&0x80 != 0 {
		size += 4
	}
	return size
}

// advance takes note of bytes that went by.
func (f *frames) advance(p []byte) {
	for len(p) > 0 {
		if f.payload > 0 {
			n := min(uint64(len(p)), f.payload)
			f.payload -= n
			p = p[n:]
			continue
		}
		n := copy(f.head[f.have:f.headSize()], p)
		f.have += n
		p = p[n:]
		if f.have >= 2 && f.have == f.headSize() {
			f.payload = f.length()
			f.have = 0
		}
	}
}

func (f *frames) length() uint64 {
	switch n := f.head[1] & 0x7f; n {
	case 126:
		return uint64(binary.BigEndian.Uint16(f.head[2:]))
	case 127:
		return binary.BigEndian.Uint64(f.head[2:]) &^ (1 << 63)
	default:
		return uint64(n)
	}
}

// closeCode is the application's close code for a token that is not valid any
// more: 4000 to 4999 are free for use, 4401 reads like HTTP's 401.
const closeCode = 4401

// closeFrame is the server's close frame, unmasked, RFC 6455 section 5.5.1.
func closeFrame(why token.Reason) []byte {
	text := "token " + string(why)
	frame := []byte{0x88, byte(2 + len(text)), closeCode >> 8, closeCode & 0xff}
	return append(frame, text...)
}
