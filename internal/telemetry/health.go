package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Check is one thing that has to be well for requests to be sent here.
type Check struct {
	// Name is shown by /readyz?verbose: lower case, without blanks.
	Name string
	// Probe returns nil when all is well. It has to return when ctx ends, which
	// is soon. Its error is shown to whoever may reach the ops listener.
	Probe func(ctx context.Context) error
}

// outcome is what a check said.
type outcome struct {
	name string
	took time.Duration
	err  error
}

// Failing asks all checks at once, until ctx ends, and returns what each that failed
// says, by name. One that gives no answer has failed.
func Failing(ctx context.Context, checks []Check) map[string]error {
	failed := map[string]error{}
	for _, o := range runChecks(ctx, checks) {
		if o.err != nil {
			failed[o.name] = o.err
		}
	}
	return failed
}

// runChecks asks all checks at once. One that has not answered when ctx ends
// counts as failed and is left to itself.
func runChecks(ctx context.Context, checks []Check) []outcome {
	start := time.Now()
	results := make([]chan outcome, len(checks))
	for i, c := range checks {
		results[i] = make(chan outcome, 1)
		go func() {
			err := probe(ctx, c)
			results[i] <- outcome{name: c.Name, took: time.Since(start), err: err}
		}()
	}
	out := make([]outcome, len(checks))
	for i, c := range checks {
		select {
		case out[i] = <-results[i]:
		case <-ctx.Done():
			select { // it may have answered while another one was waited for
			case out[i] = <-results[i]:
			default:
				out[i] = outcome{name: c.Name, took: time.Since(start), err: errors.New("no answer in time")}
			}
		}
	}
	return out
}

// probe turns a panic into a failed check: a faulty probe must not end the
// program whose health it asks for.
func probe(ctx context.Context, c Check) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return c.Probe(ctx)
}
