package revocation

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// failoverPatience is how long an answer is waited for where another server may
	// take over: what a failover takes, roughly. A nearer deadline holds.
	failoverPatience = 3 * time.Second
	// singlePatience is the same for one server alone: enough to pass over pooled
	// connections that ended with its last life.
	singlePatience = 250 * time.Millisecond
	maxPause       = 50 * time.Millisecond
)

// fresh stands among the arguments of a script for that many random bytes as
// hexadecimal text, other ones for each attempt: what a server began and then lost
// must not be begun again under the same name.
type fresh int

// freshen returns the arguments of one attempt.
func freshen(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		if n, ok := a.(fresh); ok {
			a = nonce(int(n))
		}
		out[i] = a
	}
	return out
}

// again does something that may be done twice until it has an answer, with a pause
// between: as long as ctx and our patience last, and the error is one that another
// attempt may not meet. go-redis itself does not try again (MaxRetries -1), and in a
// cluster it learns of a new primary only from one that answers MOVED, not from one
// that is gone: so it is told to look.
func again(ctx context.Context, client redis.UniversalClient, do func() (any, error)) (any, error) {
	start, pause := time.Now(), time.Duration(0)
	for {
		reply, err := do()
		if err == nil {
			return reply, nil
		}
		var answer redis.Error
		if !errors.As(err, &answer) || changing(err) {
			reload(ctx, client) // also when time ran out: the server may have stopped
		}
		if !passing(client, err) {
			return nil, err
		}
		patience := singlePatience
		if failsOver(client) {
			patience = failoverPatience
		}
		end := start.Add(patience)
		if d, ok := ctx.Deadline(); ok && d.Before(end) {
			end = d
		}
		if ctx.Err() != nil || !time.Now().Add(pause).Before(end) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
		}
		pause = min(max(2*pause, 5*time.Millisecond), maxPause)
	}
}

// passing says whether an error may be gone by the next attempt. Where nobody takes
// over from a server that cannot be reached, it is not tried again.
func passing(client redis.UniversalClient, err error) bool {
	var answer redis.Error
	switch {
	case errors.Is(err, redis.Nil), errors.Is(err, redis.ErrClosed):
		return false
	case errors.As(err, &answer):
		return changing(err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && !isDial(err):
		return false
	}
	var network net.Error
	slow := isDial(err) || errors.As(err, &network) && network.Timeout()
	return failsOver(client) || !slow
}

// changing says whether a server refused a command because of its place among the
// others, or of what it still does: then it has not carried the command out.
func changing(err error) bool {
	for _, prefix := range [...]string{"READONLY", "MOVED", "ASK", "CLUSTERDOWN", "TRYAGAIN", "LOADING", "MASTERDOWN"} {
		if redis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}

// isDial says whether there was no connection to send anything over.
func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// failsOver says whether another server may take over from one that is gone.
func failsOver(client redis.UniversalClient) bool {
	switch c := client.(type) {
	case *redis.ClusterClient:
		return true
	case *redis.Client:
		return c.Options().Addr == "FailoverClient" // what go-redis calls one that asks Sentinels
	}
	return false
}

// reload makes a cluster's client ask, in the background, which server has which
// slot. One of Sentinels asks them whenever it dials.
func reload(ctx context.Context, client redis.UniversalClient) {
	if c, ok := client.(*redis.ClusterClient); ok {
		c.ReloadState(ctx)
	}
}
