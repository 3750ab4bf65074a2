package testkit_test

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/internal/testkit"
)

// failing is a test that notes why it was ended.
type failing struct {
	testing.TB
	why string
}

func (f *failing) Helper() {}

func (f *failing) Fatalf(format string, args ...any) {
	f.why = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestMustAwait(t *testing.T) {
	for name, row := range map[string]struct {
		comes time.Duration
		why   string
	}{
		"there already": {comes: 0},
		"soon":          {comes: time.Second},
		"late":          {comes: 19 * time.Second},
		"too late":      {comes: 21 * time.Second, why: "waited 20s for: the end\n0 of 1\nnobody"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, f, went := time.Now(), &failing{TB: t}, false
				go func() {
					testkit.MustAwait(f, "the end", func() bool { return time.Since(began) >= row.comes },
						func() string { return "0 of 1" }, func() string { return "nobody" })
					went = true
				}()
				time.Sleep(time.Minute)
				synctest.Wait()
				if f.why != row.why || went != (row.why == "") {
					t.Errorf("ended with %q, want %q; went on: %t", f.why, row.why, went)
				}
			})
		})
	}
}

func TestBuffer(t *testing.T) {
	var b testkit.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100 {
			fmt.Fprintln(&b, "one line")
		}
	}()
	testkit.MustAwait(t, "a hundred lines", func() bool { return b.Count("one line\n") == 100 }, b.String)
	<-done
}
