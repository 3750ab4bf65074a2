package revocation_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

func TestJournalKeepsWhatItWasGiven(t *testing.T) {
	path := journalPath(t)
	j := mustOpenJournal(t, path)
	wantKept(t, j)
	if p := j.Position(); p != (revocation.Position{}) {
		t.Fatalf("position %+v of a new journal", p)
	}
	all := []revocation.Kept{
		kept(1), kept(2),
		{Digest: revocation.Digest{1}, Kind: revocation.KindAll, Cut: 1 << 50, At: 1<<50 + 1, ExpiresAt: 1 << 31, Undone: 1 << 49},
		{Digest: revocation.Digest{3}, Kind: revocation.KindSubject, Cut: 1 << 50, At: 1 << 50, Below: "9,8"},
		{Digest: revocation.Digest{4}, Kind: revocation.KindSubject, Cut: 1 << 50, At: 1 << 50, Below: "7", Detail: &revocation.Detail{Value: "v"}},
		{Digest: revocation.Digest{2}, Kind: "later", At: -1, Detail: &revocation.Detail{Reason: strings.Repeat("\x00ü", 300)}},
	}
	mustAppend(t, j, all...)
	mustAppend(t, j)
	wantKept(t, j, all...)
	p := revocation.Position{Epoch: "e1", N: 7, Nonce: "abc", Level: true}
	j.Mark(p)
	mustClose(t, j)
	mustClose(t, j)
	if err := j.Append(t.Context(), all); err == nil {
		t.Error("a closed journal takes records")
	}

	j, log := openLogged(t, path)
	wantKept(t, j, all...)
	if got := j.Position(); got != p {
		t.Errorf("position %+v, want %+v", got, p)
	}
	if log.Len() > 0 {
		t.Errorf("a journal in good health logs %q", log)
	}
	is, err := os.Stat(path)
	if err != nil || is.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", is.Mode(), err)
	}
}

// Of several records about a digest the latest change counts, a revocation at a tie,
// and the detail is that of whoever knew it.
func TestJournalMergesByDate(t *testing.T) {
	detail := &revocation.Detail{Issuer: "i", Value: "v", Subject: "s", Reason: "why", Actor: "who"}
	without := &revocation.Detail{Issuer: "i", Value: "v", Subject: "s", Reason: restored}
	rec := func(cut, at, undone int64, d *revocation.Detail) revocation.Kept {
		return revocation.Kept{Kind: revocation.KindJTI, Cut: cut, At: at, Undone: undone, Detail: d}
	}
	ends := func(after int64, k revocation.Kept) revocation.Kept {
		if k.ExpiresAt = 0; after > 0 {
			k.ExpiresAt = 4_000_000_000 + after
		}
		return k
	}
	tests := []struct {
		name  string
		given []revocation.Kept
		want  revocation.Kept
	}{
		{"told again by the feed", []revocation.Kept{rec(5, 5, 0, detail), rec(5, 5, 0, nil)}, rec(5, 5, 0, detail)},
		{"told by the feed first", []revocation.Kept{rec(5, 5, 0, nil), rec(5, 5, 0, detail)}, rec(5, 5, 0, detail)},
		{"undone", []revocation.Kept{rec(5, 5, 0, detail), rec(0, 6, 6, nil)}, rec(0, 6, 6, detail)},
		{"another statement is in force", []revocation.Kept{rec(5, 5, 0, detail), rec(7, 7, 0, nil)}, rec(7, 7, 0, without)},
		{"an earlier statement is in force again", []revocation.Kept{rec(5, 5, 0, detail), rec(7, 7, 0, nil), rec(5, 8, 8, nil)}, rec(5, 8, 8, detail)},
		{"undone, as heard late", []revocation.Kept{rec(0, 6, 6, nil), rec(5, 5, 0, nil)}, rec(0, 6, 6, nil)},
		{"revoked again", []revocation.Kept{rec(5, 5, 0, nil), rec(0, 6, 6, nil), rec(7, 7, 0, nil)}, rec(7, 7, 6, nil)},
		{"revoked wins at a tie", []revocation.Kept{rec(6, 6, 0, nil), rec(0, 6, 6, nil)}, rec(6, 6, 6, nil)},
		{"revoked wins at a tie, told last", []revocation.Kept{rec(0, 6, 6, nil), rec(6, 6, 0, nil)}, rec(6, 6, 6, nil)},
		{"a later life without a date", []revocation.Kept{ends(10, rec(0, 6, 6, nil)), ends(20, rec(1, 1, 0, nil))}, ends(20, rec(1, 1, 6, nil))},
		{"and an earlier one told again", []revocation.Kept{ends(20, rec(1, 1, 0, nil)), ends(10, rec(0, 6, 6, nil))}, ends(20, rec(1, 1, 6, nil))},
		{"no end comes nearer", []revocation.Kept{ends(0, rec(5, 5, 0, nil)), ends(10, rec(7, 7, 0, nil))}, ends(0, rec(7, 7, 0, nil))},
		{"a date beats none", []revocation.Kept{rec(0, 6, 6, nil), rec(5, 0, 0, nil)}, rec(0, 6, 6, nil)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := journalPath(t)
			j := mustOpenJournal(t, path)
			mustAppend(t, j, tt.given...)
			wantKept(t, j, tt.want)
			mustClose(t, j)
			wantKept(t, mustOpenJournal(t, path), tt.want)
		})
	}
}

// A journal belongs to one process, whichever file stands under its name.
func TestJournalIsNotShared(t *testing.T) {
	path := journalPath(t)
	j := mustOpenJournal(t, path)
	refused := func() {
		t.Helper()
		if other, err := revocation.OpenJournal(path, nil); err == nil {
			_ = other.Close()
			t.Fatal("two hold the journal")
		} else if !strings.Contains(err.Error(), "in use by another process") {
			t.Fatal(err)
		}
	}
	refused()
	mustAppend(t, j, many(0, 4000, time.Now().Add(-time.Hour).Unix())...)
	if err := j.Compact(); err != nil {
		t.Fatal(err)
	}
	refused()
	mustClose(t, j)
	mustOpenJournal(t, path)
}

// many are records that end at that second; those that do were made now.
func many(from, count int, expires int64) []revocation.Kept {
	out := make([]revocation.Kept, count)
	for i := range out {
		out[i] = kept(from + i)
		if out[i].ExpiresAt = expires; expires != 0 {
			out[i].At = time.Now().UnixMicro()
		}
	}
	return out
}

func TestJournalCompacts(t *testing.T) {
	path := journalPath(t)
	j := mustOpenJournal(t, path)
	live := []revocation.Kept{kept(1), kept(2), kept(3)}
	mustAppend(t, j, live...)
	p := revocation.Position{Epoch: "e", N: 3, Nonce: "n"}
	j.Mark(p)
	size := func() int64 {
		is, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return is.Size()
	}
	// What is over for long goes by itself, and appending goes on meanwhile.
	var work sync.WaitGroup
	for part := range 8 {
		work.Go(func() {
			for i := range 100 {
				from := 1000 + 10_000*part + 20*i
				if err := j.Append(context.Background(), many(from, 20, time.Now().Add(-time.Hour).Unix())); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	testkit.MustAwait(t, "compaction", func() bool { return size() < 1<<20 }) // of 1.5 MB
	wantKept(t, j, live...)
	mustAppend(t, j, kept(4))
	mustClose(t, j)
	j = mustOpenJournal(t, path)
	wantKept(t, j, append(live, kept(4))...)
	if got := j.Position(); got != p {
		t.Errorf("position %+v, want %+v", got, p)
	}

	// What is of use stays, however much that is.
	lasting := many(100_000, 5000, 0)
	mustAppend(t, j, lasting...)
	before := size()
	if err := j.Compact(); err != nil {
		t.Fatal(err)
	}
	if size() != before {
		t.Errorf("%d bytes after compaction, %d before: most of it is of use", size(), before)
	}
	wantKept(t, j, append(append(live, kept(4)), lasting...)...)
}

// What a dead process has left half-written is taken as what it is.
func TestJournalAfterACrash(t *testing.T) {
	whole := func(t *testing.T) []byte {
		path := filepath.Join(t.TempDir(), "journal")
		j := mustOpenJournal(t, path)
		mustAppend(t, j, kept(1))
		mustAppend(t, j, kept(2))
		mustAppend(t, j, kept(3))
		mustClose(t, j)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}(t)
	const head, frame = 24, 62 // of kept(1) and kept(3), which have no detail
	tests := []struct {
		name string
		data []byte
		want []int
		log  string
	}{
		{"nothing", nil, nil, ""},
		{"half a head", whole[:10], nil, ""},
		{"a head", whole[:head], nil, ""},
		{"half a frame's head", whole[:head+5], nil, "torn end"},
		{"half a frame", whole[:len(whole)-1], []int{1, 2}, "torn end"},
		{"another byte at the end", append(bytes.Clone(whole), 1), []int{1, 2, 3}, "torn end"},
		{"zeros at the end", append(bytes.Clone(whole), make([]byte, 10_000)...), []int{1, 2, 3}, "torn end"},
		{"a bit of the last frame", flipped(whole, len(whole)-3), []int{1, 2}, "torn end"},
		{"a bit in the middle", flipped(whole, head+frame+20), []int{1, 3}, "damaged"},
		{"a bit of a length", flipped(whole, head), []int{2, 3}, "damaged"},
		{"a bit of the salt", flipped(whole, head-1), nil, "torn end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := journalPath(t)
			if err := os.WriteFile(path, tt.data, 0o600); err != nil {
				t.Fatal(err)
			}
			j, log := openLogged(t, path)
			if (tt.log == "") != (log.Len() == 0) || !strings.Contains(log.String(), tt.log) {
				t.Errorf("log %q, want %q", log, tt.log)
			}
			var want []revocation.Kept
			for _, i := range tt.want {
				want = append(want, kept(i))
			}
			wantKept(t, j, want...)
			mustAppend(t, j, kept(9))
			mustClose(t, j)
			j, log = openLogged(t, path)
			wantKept(t, j, append(want, kept(9))...)
			if strings.Contains(log.String(), "torn") {
				t.Errorf("what was cut off is there again: %s", log)
			}
		})
	}
}

func flipped(data []byte, at int) []byte {
	data = bytes.Clone(data)
	data[at] ^= 1
	return data
}

// A file that is something else is left as it is.
func TestJournalRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal")
	for _, text := range []string{"x", "somebody else's file, which is longer than the head of a journal"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := revocation.OpenJournal(path, nil); err == nil {
			t.Errorf("%q was opened", text)
		}
		if data, _ := os.ReadFile(path); string(data) != text {
			t.Errorf("%q has become %q", text, data)
		}
	}
	for _, bad := range []string{dir, filepath.Join(dir, "none", "journal"), "/dev/null"} {
		if _, err := revocation.OpenJournal(bad, nil); err == nil {
			t.Errorf("%s was opened", bad)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	j := mustOpenJournal(t, path)
	for _, k := range []revocation.Kept{{Kind: revocation.Kind(strings.Repeat("k", 33))}, {Detail: &revocation.Detail{Actor: strings.Repeat("a", revocation.MaxText+1)}}} {
		if err := j.Append(t.Context(), []revocation.Kept{k}); !errors.Is(err, revocation.ErrInvalid) {
			t.Errorf("err = %v", err)
		}
	}
	mustClose(t, j)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, log := openLogged(t, path)
	if is, _ := os.Stat(path); is.Mode().Perm() != 0o600 || !strings.Contains(log.String(), "read by others") {
		t.Errorf("mode %v, log %q", is.Mode(), log)
	}
}

// Many calls share one fsync: it would take far longer than one call after the other.
func BenchmarkJournalAppend(b *testing.B) {
	j, err := revocation.OpenJournal(filepath.Join(b.TempDir(), "journal"), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if err := j.Append(b.Context(), []revocation.Kept{kept(i)}); err != nil {
				b.Error(err)
			}
		}
	})
}
