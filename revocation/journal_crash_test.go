package revocation_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tollgate/revocation"
)

// What a process was told to do when it is the child of a test here.
const (
	journalChild = "TOLLGATE_TEST_JOURNAL"      // path of the journal
	journalFirst = "TOLLGATE_TEST_JOURNAL_FROM" // number of its first record
)

// TestJournalChild is the process that is killed: it appends from eight places at once,
// and says of each record that it was acknowledged. Every third is soon over, so that
// it compacts, too.
func TestJournalChild(t *testing.T) {
	path := os.Getenv(journalChild)
	if path == "" {
		t.Skip("a process that other tests start")
	}
	from, err := strconv.Atoi(os.Getenv(journalFirst))
	if err != nil {
		t.Fatal(err)
	}
	j, err := revocation.OpenJournal(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out sync.Mutex
	var work sync.WaitGroup
	for part := range 8 {
		work.Go(func() {
			for i := from + part; ; i += 8 {
				batch := append(many(1_000_000+10*i, 10, time.Now().Add(-time.Hour).Unix()), kept(i))
				if err := j.Append(context.Background(), batch); err != nil {
					t.Error(err)
					return
				}
				out.Lock()
				fmt.Printf("acknowledged %d\n", i)
				out.Unlock()
				j.Mark(revocation.Position{Epoch: "e", N: uint64(i)})
			}
		})
	}
	work.Wait()
}

// Whatever was acknowledged before a kill -9 is there afterwards, 20 times over with the
// same file.
func TestJournalOutlivesKills(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	acknowledged := map[int]bool{}
	for round := range 20 {
		child := exec.Command(os.Args[0], "-test.run=^TestJournalChild$")
		child.Env = append(os.Environ(), journalChild+"="+path, journalFirst+"="+strconv.Itoa(100_000*round))
		child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		lines, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		read := bufio.NewScanner(lines)
		for count := 0; read.Scan(); count++ {
			if i, err := strconv.Atoi(strings.TrimPrefix(read.Text(), "acknowledged ")); err == nil {
				acknowledged[i] = true
			}
			if count == 50+17*round {
				_ = child.Process.Kill()
			}
		}
		if err := child.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		if len(acknowledged) < 50*(round+1) {
			t.Fatalf("round %d: only %d acknowledged", round, len(acknowledged))
		}
		j := mustOpenJournal(t, path)
		there := recordsOf(t, j)
		for i := range acknowledged {
			want := kept(i)
			got, ok := there[want.Digest]
			if !ok {
				t.Fatalf("round %d: %d was acknowledged and is gone", round, i)
			}
			if got.Detail != nil {
				want.Detail, got.Detail = nil, nil
			}
			if got != want {
				t.Fatalf("round %d: %+v, want %+v", round, got, want)
			}
		}
		if j.Position().Epoch != "e" {
			t.Fatalf("round %d: position %+v", round, j.Position())
		}
		mustClose(t, j)
	}
	t.Logf("%d acknowledged records outlived 20 kills", len(acknowledged))
}

// TestJournalFullChild is a process that may write 256 KiB into a file, and then more.
func TestJournalFullChild(t *testing.T) {
	path := os.Getenv(journalChild)
	if path == "" || os.Getenv(journalFirst) != "" {
		t.Skip("a process that another test starts")
	}
	signal.Ignore(syscall.SIGXFSZ)
	limit := func(most uint64) {
		var is syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &is); err != nil {
			t.Fatal(err)
		}
		is.Cur = most
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &is); err != nil {
			t.Fatal(err)
		}
	}
	limit(256 << 10)
	j := mustOpenJournal(t, path)
	var there []revocation.Kept
	next := func() error {
		batch := many(10*len(there), 10, 0)
		err := j.Append(t.Context(), batch)
		if err == nil {
			there = append(there, batch...)
		}
		return err
	}
	var err error
	for err == nil && len(there) < 10_000 {
		err = next()
	}
	if err == nil || !strings.Contains(err.Error(), "file too large") {
		t.Fatalf("err = %v after %d records", err, len(there))
	}
	if next() == nil {
		t.Fatal("the second attempt on a full disk is acknowledged")
	}
	wantKept(t, j, there...)
	limit(^uint64(0))
	for range 10 {
		if err := next(); err != nil {
			t.Fatalf("with room again: %v", err)
		}
	}
	wantKept(t, j, there...)
	mustClose(t, j)
	j, log := openLogged(t, path)
	wantKept(t, j, there...)
	if log.Len() > 0 {
		t.Errorf("log %q", log)
	}
}

// A full disk fails what it has no room for, and no more.
func TestJournalOnAFullDisk(t *testing.T) {
	child := exec.Command(os.Args[0], "-test.run=^TestJournalFullChild$", "-test.v")
	child.Env = append(os.Environ(), journalChild+"="+filepath.Join(t.TempDir(), "journal"))
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestJournalFullChild") {
		t.Fatalf("%v: %s", err, out)
	}
}
