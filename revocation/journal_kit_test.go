package revocation_test

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tollgate/revocation"
)

// kept is the i-th record of a test: without an end, with a detail when i is even.
func kept(i int) revocation.Kept {
	k := revocation.Kept{
		Digest: revocation.DigestOf("i", revocation.KindJTI, fmt.Sprint(i)), Kind: revocation.KindJTI,
		Cut: int64(1000 + i), At: int64(1000 + i),
	}
	if i%2 == 0 {
		k.Detail = &revocation.Detail{Issuer: "i", Value: fmt.Sprint(i), Subject: "sub", Reason: "why", Actor: "who"}
	}
	return k
}

func mustOpenJournal(t *testing.T, path string) *revocation.Journal {
	t.Helper()
	j, _ := openLogged(t, path)
	return j
}

// openLogged opens a journal and returns what it logs.
func openLogged(t *testing.T, path string) (*revocation.Journal, *strings.Builder) {
	t.Helper()
	var log strings.Builder
	j, err := revocation.OpenJournal(path, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j, &log
}

func mustAppend(t *testing.T, j *revocation.Journal, records ...revocation.Kept) {
	t.Helper()
	if err := j.Append(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

func mustClose(t *testing.T, j *revocation.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// recordsOf returns what a journal holds. It fails when a digest comes twice.
func recordsOf(t *testing.T, j *revocation.Journal) map[revocation.Digest]revocation.Kept {
	t.Helper()
	out := map[revocation.Digest]revocation.Kept{}
	err := j.Records(func(k revocation.Kept) bool {
		if _, twice := out[k.Digest]; twice {
			t.Errorf("%v comes twice", k.Digest)
		}
		out[k.Digest] = k
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// wantKept checks that a journal holds exactly these.
func wantKept(t *testing.T, j *revocation.Journal, want ...revocation.Kept) {
	t.Helper()
	got := recordsOf(t, j)
	for _, w := range want {
		g, ok := got[w.Digest]
		if !ok {
			t.Fatalf("%+v is gone; there are %d", w, len(got))
		}
		if (g.Detail == nil) != (w.Detail == nil) || g.Detail != nil && *g.Detail != *w.Detail {
			t.Fatalf("detail %+v, want %+v", g.Detail, w.Detail)
		}
		g.Detail, w.Detail = nil, nil
		if g != w {
			t.Fatalf("got %+v, want %+v", g, w)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d: %v", len(got), len(want), slices.Collect(maps.Values(got)))
	}
}

// journalPath is a place for a journal, in a directory that must not hold anything else
// when the test ends.
func journalPath(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if e.Name() != "journal" {
				t.Errorf("%s was left behind", e.Name())
			}
		}
	})
	return filepath.Join(dir, "journal")
}
