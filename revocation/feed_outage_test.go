package revocation

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestOutagePauses: from 50 ms to a second, each about twice the one before; and
// an outage is one line at its beginning and one at its end.
func TestOutagePauses(t *testing.T) {
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, nil))
	var o feedOutage
	o.over(log)
	for round := range 2 {
		for i, most := range []time.Duration{50, 100, 200, 400, 800, 1000, 1000, 1000} {
			most *= time.Millisecond
			if d := o.failed(log, errors.New("refused")); d > most || d < max(most*3/4, 50*time.Millisecond) {
				t.Errorf("round %d: pause %d is %s", round, i, d)
			}
		}
		for range 1000 {
			if d := o.failed(log, errors.New("refused")); d < 750*time.Millisecond || d > time.Second {
				t.Fatalf("pause of %s", d)
			}
		}
		o.over(log)
		o.over(log)
	}
	if lines := strings.Count(text.String(), "\n"); lines != 4 || strings.Count(text.String(), "refused") != 2 {
		t.Errorf("%d lines:\n%s", lines, text.String())
	}
}
