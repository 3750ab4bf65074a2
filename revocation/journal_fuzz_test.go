package revocation

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzJournalReader: whatever a file holds, opening it ends; what is opened holds only
// whole frames, and reads the same when it is opened again.
func FuzzJournalReader(f *testing.F) {
	head := append([]byte(journalMagic), 1, 2, 3, 4, 5, 6, 7, 8)
	frames, err := appendKept(nil, &Kept{Digest: Digest{1}, Kind: KindJTI, Cut: 1, At: 1, Detail: &Detail{"i", "v", "s", "r", "a"}})
	if err != nil {
		f.Fatal(err)
	}
	frames, _ = appendKept(frames, &Kept{Digest: Digest{2}, Kind: KindKey, At: 2, Undone: 2})
	frames = appendPosition(frames, Position{"e", 2, "n", true})
	// What is mutated is not sealed: the checksums would stop nearly everything.
	f.Add(frames, []byte("tail"), true)
	f.Add(frames, []byte{}, false)
	f.Add([]byte{9, 0, 0, 0, 0, 0, 0, 0, payloadKept}, []byte{}, true)
	f.Fuzz(func(t *testing.T, body, tail []byte, sealed bool) {
		if sealed && wholeFrames(body) {
			body = bytes.Clone(body)
			seal(body, head[len(journalMagic):])
		}
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, bytes.Join([][]byte{head, body, tail}, nil), 0o600); err != nil {
			t.Fatal(err)
		}
		read := func() (all []Kept, p Position, ok bool) {
			j, err := OpenJournal(path, nil)
			if errors.Is(err, errJournalNewer) {
				return nil, p, false
			}
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			if err := j.Records(func(k Kept) bool { all = append(all, k); return true }); err != nil {
				t.Fatal(err)
			}
			return all, j.Position(), true
		}
		first, p, ok := read()
		again, q, ok2 := read()
		if ok != ok2 || len(first) != len(again) || p != q {
			t.Fatalf("read %d records and %+v, then %d and %+v", len(first), p, len(again), q)
		}
	})
}

// wholeFrames says whether b can be sealed.
func wholeFrames(b []byte) bool {
	for len(b) > 0 {
		if len(b) < frameHead+1 {
			return false
		}
		n := int(b[0]) | int(b[1])<<8
		if b[2] != 0 || b[3] != 0 || n == 0 || n > frameMost || len(b) < frameHead+n {
			return false
		}
		b = b[frameHead+n:]
	}
	return true
}

// A text that holds a frame is not read as one, not even behind damage: its writer does
// not know the salt.
func TestJournalFrameInAText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	forged, err := appendKept(nil, &Kept{Digest: Digest{66}, Kind: KindKey, At: 1 << 60})
	if err != nil {
		t.Fatal(err)
	}
	seal(forged, make([]byte, journalSalt))
	j, err := OpenJournal(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		k := Kept{Digest: Digest{byte(i)}, Kind: KindJTI, Detail: &Detail{Reason: string(forged)}}
		if err := j.Append(t.Context(), []Kept{k}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[journalHead+frameHead+3] ^= 1
	x, err := indexJournal(bytes.NewReader(data))
	if err != nil || len(x.refs) != 1 || x.lost == 0 {
		t.Fatalf("%+v, %v", x, err)
	}
}
