package revocation

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A closed journal is free at once, also while a child of this process that was forked
// and has not yet come to its exec has the file open.
func TestClosedJournalIsFree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j, err := OpenJournal(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	child, err := syscall.Dup(int(j.file.f.Fd())) // what a fork does to each file
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.NewFile(uintptr(child), "child").Close() }()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := OpenJournal(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
