package revocation_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"tollgate/revocation"
)

// spoil flips a bit of the record of a journal's file that has that digest.
func spoil(t *testing.T, path string, d revocation.Digest) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := -1
	for i := range len(data) - len(d) {
		if revocation.Digest(data[i:i+len(d)]) == d {
			at = i
			break
		}
	}
	if at < 0 {
		t.Fatal("the record is not in the file")
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{data[at] ^ 1}, int64(at)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// worthPacking fills most of a journal with what is over.
func worthPacking(t *testing.T, j *revocation.Journal) {
	t.Helper()
	past := many(100_000, 3000, time.Now().Add(-time.Hour).Unix())
	for part := range slices.Chunk(past, 1000) {
		mustAppend(t, j, part...)
	}
}

// followed is how far a feed was followed up to now.
func followed(n uint64) revocation.Position {
	return revocation.Position{Epoch: "e", N: n, Nonce: "n", ID: time.Now().UnixMicro(), Level: true}
}

// A journal that lacks a record must not say that it has all up to some place in the
// feed: whoever resumes there would never hear of that record. Writing the file anew
// takes the damage away, and what it did to the position must stay.
func TestDamageOutlivesCompaction(t *testing.T) {
	path := journalPath(t)
	j := mustOpenJournal(t, path)
	mustAppend(t, j, kept(1), kept(2), kept(3))
	worthPacking(t, j)
	j.Mark(followed(3))
	mustClose(t, j)
	spoil(t, path, kept(1).Digest)

	for range 3 { // lives that end before they have read the feed
		j = mustOpenJournal(t, path)
		wantKept(t, j, kept(2), kept(3))
		if p := j.Position(); p != (revocation.Position{}) {
			t.Fatalf("position %+v, and a record before it is gone", p)
		}
		worthPacking(t, j) // now or by itself meanwhile
		if err := j.Compact(); err != nil {
			t.Fatal(err)
		}
		mustClose(t, j)
	}
	j = mustOpenJournal(t, path)
	mustAppend(t, j, kept(1)) // told by the feed
	want := followed(4)
	j.Mark(want)
	mustClose(t, j)
	j, log := openLogged(t, path)
	if j.Position() != want || log.Len() > 0 {
		t.Errorf("position %+v after the feed was read, want %+v; log %q", j.Position(), want, log)
	}
}

// The same when the damage comes while the process runs, which holds what is gone from
// the file and goes on noting positions.
func TestDamageWhileRunning(t *testing.T) {
	path := journalPath(t)
	j, log := openLogged(t, path)
	mustAppend(t, j, kept(1), kept(2))
	j.Mark(followed(2))
	mustAppend(t, j, kept(3))
	spoil(t, path, kept(1).Digest)
	worthPacking(t, j)
	if err := j.Compact(); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, kept(4))
	j.Mark(followed(4))
	mustAppend(t, j, kept(5))
	mustClose(t, j)
	if log.Len() == 0 {
		t.Error("damage was found, and nobody was told")
	}
	j = mustOpenJournal(t, path)
	wantKept(t, j, kept(2), kept(3), kept(4), kept(5))
	if p := j.Position(); p != (revocation.Position{}) {
		t.Fatalf("position %+v, and a record before it is gone", p)
	}
}

// A clock that is ahead when a process begins, and is put right later, takes nothing out
// that is in force by the store's time.
func TestJournalBesideAClockAhead(t *testing.T) {
	path := journalPath(t)
	j := mustOpenJournal(t, path)
	past := time.Now().Add(-3 * time.Hour) // Redis's now; this machine's clock is three hours ahead
	standing := kept(1)
	standing.At, standing.ExpiresAt = past.UnixMicro(), past.Add(time.Hour).Unix()
	mustAppend(t, j, standing)
	at := followed(1)
	at.ID = past.UnixMicro()
	j.Mark(at)
	mustClose(t, j)
	j = mustOpenJournal(t, path)
	wantKept(t, j, standing)

	at.N, at.ID = 2, past.Add(90*time.Minute).UnixMicro() // now it is over by the store's time, too
	j.Mark(at)
	mustClose(t, j)
	wantKept(t, mustOpenJournal(t, path))
}
