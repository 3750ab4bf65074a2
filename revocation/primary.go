package revocation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// What waits for replicas has to be said on the connection that has written: WAIT
// tells of the writes of its own connection. A client sends it to any connection,
// and a cluster's client, because the command has no key, to any node.

const (
	primaryTries = 5                     // most attempts to find the primary of a key
	primaryPause = 20 * time.Millisecond // before the second attempt; then twice as long each time
)

// errNoPrimary says that a client cannot hold on to one connection.
var errNoPrimary = errors.New("this sort of Redis client has no connections of its own")

// byKey is a client of a cluster.
type byKey interface {
	MasterForKey(ctx context.Context, key string) (*redis.Client, error)
	ReloadState(ctx context.Context)
}

// byConn is a client of one server, found by its address or by Sentinels.
type byConn interface{ Conn() *redis.Conn }

// primaryOf takes one connection to the primary that has key, as far as the client
// knows. Close gives it back.
func primaryOf(ctx context.Context, client redis.UniversalClient, key string) (*redis.Conn, error) {
	switch c := client.(type) {
	case byKey:
		node, err := c.MasterForKey(ctx, key)
		if err != nil {
			return nil, err
		}
		return node.Conn(), nil
	case byConn:
		return c.Conn(), nil
	}
	return nil, errNoPrimary
}

// onPrimary gives do a connection to the primary of key. When a server there says
// that it is not the primary (any more), do is called again with another one: such a
// server has changed nothing. A cluster's client follows redirections only for the
// commands that it is itself given, so its view of the slots is renewed here.
func onPrimary(ctx context.Context, client redis.UniversalClient, key string, do func(*redis.Conn) error) error {
	for try := 0; ; try++ {
		conn, err := primaryOf(ctx, client, key)
		if err != nil {
			return fmt.Errorf("find primary: %w", err)
		}
		err = do(conn)
		_ = conn.Close()
		if !isElsewhere(err) || try == primaryTries-1 {
			return err
		}
		if c, ok := client.(byKey); ok {
			c.ReloadState(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(primaryPause << try):
		}
	}
}

// isElsewhere reports whether a server has refused a script because the key's
// primary is another one, or because nobody is just then. Redis 6 puts what a
// command said inside a script behind words of its own.
func isElsewhere(err error) bool {
	var answer redis.Error
	if !errors.As(err, &answer) {
		return false
	}
	for _, prefix := range [...]string{"MOVED ", "ASK ", "TRYAGAIN ", "CLUSTERDOWN "} {
		if strings.HasPrefix(answer.Error(), prefix) {
			return true
		}
	}
	return strings.Contains(answer.Error(), "READONLY ")
}
