package statuslist

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"fmt"
)

// bitArray is the statuses of a list of one bit each: that of index i is bit i%8,
// counted from the least significant one, of byte i/8
// (draft-ietf-oauth-status-list section 4.1).
type bitArray []byte

func newBitArray(size int) bitArray { return make(bitArray, (size+7)/8) }

func (b bitArray) set(i int) { b[i/8] |= 1 << (i % 8) }

// lst is the array as it stands in a document: ZLIB (RFC 1950) at the highest level
// of compression, in base64url without padding.
func (b bitArray) lst() (string, error) {
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		return "", fmt.Errorf("compress: %w", err)
	}
	if _, err := w.Write(b); err != nil {
		return "", fmt.Errorf("compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("compress: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(out.Bytes()), nil
}
