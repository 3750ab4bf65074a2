package testkit

import (
	"strings"
	"testing"
	"time"
)

// awaitPatience is generous: it is spent only where something never comes, and a
// busy machine is not that.
const awaitPatience = 20 * time.Second

// MustAwait asks again and again whether something holds, and ends the test when it
// does not within 20 s. What says what is waited for; the details are asked, and
// printed, only then. In a synctest bubble the waiting takes no time.
func MustAwait(tb testing.TB, what string, holds func() bool, details ...func() string) {
	tb.Helper()
	MustAwaitWithin(tb, awaitPatience, what, holds, details...)
}

// MustAwaitWithin is MustAwait with another bound, for what takes long by itself.
func MustAwaitWithin(tb testing.TB, within time.Duration, what string, holds func() bool, details ...func() string) {
	tb.Helper()
	end := time.Now().Add(within)
	for pause := time.Millisecond; !holds(); pause = min(2*pause, 16*time.Millisecond) {
		if time.Now().After(end) {
			var text strings.Builder
			for _, detail := range details {
				text.WriteString("\n" + detail())
			}
			tb.Fatalf("waited %s for: %s%s", within, what, &text)
		}
		time.Sleep(pause)
	}
}
