package revocation

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzJournalReader: whatever a file holds, reading it ends; each digest comes once, and
// without its torn end the file reads the same.
func FuzzJournalReader(f *testing.F) {
	head := append([]byte(journalMagic), 1, 2, 3, 4, 5, 6, 7, 8)
	frames, err := appendKept(nil, &Kept{Digest: Digest{1}, Kind: KindJTI, Cut: 1, At: 1, Detail: &Detail{"i", "v", "s", "r", "a"}})
	if err != nil {
		f.Fatal(err)
	}
	frames, _ = appendKept(frames, &Kept{Digest: Digest{2}, Kind: KindKey, At: 2, Undone: 2})
	frames = appendPosition(frames, Position{"e", 2, "n", 9, true})
	// What is mutated is not sealed: the checksums would stop nearly everything.
	f.Add(frames, []byte("tail"), true)
	f.Add(frames, []byte{}, false)
	f.Add([]byte{9, 0, 0, 0, 0, 0, 0, 0, payloadKept}, []byte{}, true)
	f.Fuzz(func(t *testing.T, body, tail []byte, sealed bool) {
		if sealed && wholeFrames(body) {
			body = bytes.Clone(body)
			seal(body, head[len(journalMagic):])
		}
		file := bytes.NewReader(bytes.Join([][]byte{head, body, tail}, nil))
		x, err := indexJournal(file)
		if err != nil {
			if !errors.Is(err, errJournalNewer) {
				t.Fatal(err)
			}
			return
		}
		count := 0
		if err := x.each(file, func(k Kept) bool { count++; _, ok := x.refs[k.Digest]; return ok }); err != nil || count != len(x.refs) {
			t.Fatalf("%d of %d records: %v", count, len(x.refs), err)
		}
		again, err := indexJournal(io.NewSectionReader(file, 0, x.good))
		if err != nil || !maps.Equal(again.refs, x.refs) || again.position != x.position || again.good != x.good || again.lost != x.lost {
			t.Fatalf("%+v without the torn end, %+v with it: %v", again, x, err)
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

// A record that another version has written, whole and of a kind that is not known here,
// may be a revocation: the journal is not opened, and stays as it is.
func TestJournalOfAnotherVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	frame := appendFrame(nil, func(b []byte) []byte { return append(b, 9, 1, 2, 3) })
	seal(frame, make([]byte, journalSalt))
	file := slices.Concat([]byte(journalMagic), make([]byte, journalSalt), frame)
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenJournal(path, nil); !errors.Is(err, errJournalNewer) || !strings.Contains(err.Error(), "move the file away") {
		t.Errorf("err = %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, file) {
		t.Errorf("the file was changed: %v", err)
	}
}
