package console

import (
	"testing"
	"time"
)

func TestDistance(t *testing.T) {
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		0: "now", -900 * time.Millisecond: "now", time.Second: "in 1 s", -59 * time.Second: "59 s ago", 119 * time.Second: "in 1 min", 47 * time.Hour: "in 47 h",
		-2 * day: "2 d ago", 30*day - time.Second: "in 30 d", 29*day + 11*time.Hour: "in 29 d", 729 * day: "in 729 d", 800 * day: "in 2 years",
	} {
		if got := distance(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
