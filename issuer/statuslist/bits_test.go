package statuslist

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"
	"testing"
)

// inflate decodes a list by the draft's words.
func inflate(t testing.TB, lst string) []byte {
	t.Helper()
	compressed, err := base64.RawURLEncoding.DecodeString(lst)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zlib.NewReader(bytes.NewReader(compressed))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r) // checks the Adler-32 at the end
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// draftC1 is the list of appendix C.1.
const draftC1 = "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogE" +
	"AAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" +
	"AAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAA" +
	"A7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAA" +
	"ACAZC8L2AEb"

// TestDraftVectors holds the array against the vectors of
// draft-ietf-oauth-status-list sections 4.1 and 4.2 and appendix C.1.
func TestDraftVectors(t *testing.T) {
	for name, v := range map[string]struct {
		size int
		set  []int
		lst  string
	}{
		"section 4.2":  {16, []int{0, 3, 4, 5, 7, 8, 9, 13, 15}, "eNrbuRgAAhcBXQ"},
		"appendix C.1": {1 << 20, []int{0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345}, draftC1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBitArray(v.size)
			for _, i := range v.set {
				b.set(i)
			}
			if theirs := inflate(t, v.lst); !bytes.Equal(theirs, b) {
				t.Errorf("%d bytes of the draft's, %d of ours", len(theirs), len(b))
			}
			ours, err := b.lst()
			if err != nil || !bytes.Equal(inflate(t, ours), b) || strings.Contains(ours, "=") {
				t.Errorf("%q, %v", ours, err)
			}
			if raw, _ := base64.RawURLEncoding.DecodeString(ours); hex.EncodeToString(raw[:2]) != "78da" {
				t.Errorf("a list that begins with %x: not ZLIB at its highest level", raw[:2])
			}
		})
	}
	b := newBitArray(16)
	for _, i := range []int{0, 3, 4, 5, 7, 8, 9, 13, 15} {
		b.set(i)
	}
	if b[0] != 0xb9 || b[1] != 0xa3 {
		t.Errorf("bytes %x, the draft has b9a3", []byte(b))
	}
}

func TestListNames(t *testing.T) {
	n := listName{epoch: "0123abcd", seconds: 300, window: 5939245, number: 12}
	if got, ok := parseListName(n.String()); !ok || got != n {
		t.Errorf("%s: %+v", n, got)
	}
	for _, text := range []string{
		"", "-", "x", "0123abcd-300-5939245", "0123abcd-300-5939245-12-", "0123abcd-300-5939245-012", "0123abcd-300-5939245-+12",
		"0123abcd-59-5939245-1", "0123abcd-3601-5939245-1", "0123abcd-300--1-1", "0123abcd-300-5939245-4096", "0123abcd-300-99999999999-1",
		strings.Repeat("a", 64) + "-300-5939245-1",
	} {
		if got, ok := parseListName(text); ok {
			t.Errorf("%q is %+v", text, got)
		}
	}
}
