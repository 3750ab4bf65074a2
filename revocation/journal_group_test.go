package revocation

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// While the disk is busy, all calls gather in one batch and share its fsync; one whose
// time is up does not wait on.
func TestJournalCallsShareAnFsync(t *testing.T) {
	j, err := OpenJournal(filepath.Join(t.TempDir(), "journal"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	one, err := appendKept(nil, &Kept{Kind: KindJTI})
	if err != nil {
		t.Fatal(err)
	}
	waiting := func(size int) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			j.mu.Lock()
			is := 0
			if j.waiting != nil {
				is = len(j.waiting.data)
			}
			j.mu.Unlock()
			if is == size {
				return
			}
		}
		t.Fatalf("never %d bytes are waiting", size)
	}
	var calls sync.WaitGroup
	call := func() {
		calls.Go(func() {
			if err := j.Append(context.Background(), []Kept{{Kind: KindJTI}}); err != nil {
				t.Error(err)
			}
		})
	}
	j.file.mu.Lock() // the disk is busy
	call()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		j.mu.Lock()
		taken := j.flying && j.waiting == nil
		j.mu.Unlock()
		if taken {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the first call is never taken")
		}
	}
	for range 100 {
		call()
	}
	waiting(100 * len(one))
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := j.Append(ctx, []Kept{{Kind: KindJTI}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
	waiting(101 * len(one)) // it may be kept all the same
	j.file.mu.Unlock()
	calls.Wait()
}
