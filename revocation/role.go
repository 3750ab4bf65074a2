package revocation

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// errReplica says that a replica answered. It may be cut off from its primary, and
// repeat for ever what it had: that nothing is new there proves nothing.
var errReplica = errors.New("a replica answered")

// serverRole makes sure that scans and look-ups are answered by a primary. After a
// failover a connection to the deposed one may live on, and a replica answers reads. Sentinel
// closes those connections and go-redis does so when it hears of the switch, but
// neither does when a server is made a replica by hand, or behind one name or
// address. In a cluster a replica answers MOVED by itself.
type serverRole struct {
	asked atomic.Bool
	// silent: the server does not tell, because it does not know the command
	// (miniredis) or not for this user. Then those above must suffice.
	silent atomic.Bool
}

// ask returns the command to send along on the same connection; nil: none. The first
// time it is tried alone, because a command that is refused spoils a transaction.
func (r *serverRole) ask(ctx context.Context, client redis.UniversalClient) (*redis.SliceCmd, error) {
	if _, cluster := client.(*redis.ClusterClient); cluster || r.silent.Load() {
		return nil, nil
	}
	role := redis.NewSliceCmd(ctx, "role")
	if r.asked.Load() {
		return role, nil
	}
	err := client.Process(ctx, role)
	if redis.HasErrorPrefix(err, "NOPERM") || redis.HasErrorPrefix(err, "unknown command") {
		r.silent.Store(true)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r.asked.Store(true)
	return redis.NewSliceCmd(ctx, "role"), nil
}

// wantPrimary returns errReplica when a replica answered, and makes go-redis drop
// its connection: it does so after READONLY, and the pool gives out first what came
// back last. The write that is refused would change nothing.
func (r *serverRole) wantPrimary(ctx context.Context, client redis.UniversalClient, epoch string, role *redis.SliceCmd) error {
	if role == nil {
		return nil
	}
	answer := role.Val()
	if len(answer) == 0 {
		return errReply
	}
	if answer[0] == "master" {
		return nil
	}
	drop := func(p redis.Pipeliner) error { return p.HDel(ctx, epoch, "").Err() }
	if _, err := client.Pipelined(ctx, drop); err == nil || redis.HasErrorPrefix(err, "READONLY") {
		_ = client.HDel(ctx, epoch, "").Err() // the other pool, of commands that wait
	}
	return errReplica
}
