package revocation

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tollgate/internal/testkit"
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
		testkit.MustAwait(t, fmt.Sprintf("%d bytes that wait", size), func() bool {
			j.mu.Lock()
			defer j.mu.Unlock()
			return j.waiting != nil && len(j.waiting.data) == size
		})
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
	testkit.MustAwait(t, "the first call is taken", func() bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.flying && j.waiting == nil
	})
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
