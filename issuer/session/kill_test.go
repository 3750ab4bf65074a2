package session

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// killer kills the redis-server at the n-th command: before it was sent, or after it
// was executed and before its answer counts.
type killer struct {
	left   atomic.Int64
	after  bool
	server *testkit.RedisServer
}

func (k *killer) pass(do func() error, cmds ...redis.Cmder) error {
	if k.left.Add(-1) != -1 {
		return do()
	}
	if !k.after {
		k.server.MustKill()
		return do()
	}
	_ = do()
	k.server.MustKill()
	return testkit.CutCommands(cmds...)
}

// A redis-server with its append-only file is killed (SIGKILL) at each command of a
// refresh. When it is back, the client's retry gets a working pair, the same that the
// killed refresh had installed, and one line of tokens lives.
func TestRefreshWhileRedisIsKilled(t *testing.T) {
	server := testkit.MustStartRedis(t)
	b := mustBox(t, testkit.MustClient(t, server.Addr), ordinary())
	for _, after := range []bool{false, true} {
		finished := false
		for n := 0; n < 20 && !finished; n++ {
			held := b.mustDeliver(t, b.mustStart(t, fmt.Sprintf("%v %d", after, n)))
			client := testkit.MustClient(t, server.Addr)
			dying := mustBox(t, client, b.settings)
			dying.mustWarm(t)
			k := &killer{after: after, server: server}
			k.left.Store(int64(n))
			client.AddHook(testkit.Hook(k.pass))
			got, err := dying.refresh(t, held)
			if finished = k.left.Load() >= 0; finished {
				if err != nil {
					t.Fatalf("nothing was killed: %v", err)
				}
				continue
			}
			if err == nil {
				t.Fatalf("killed at %d: %+v", n, got)
			}
			server.MustRestart()
			rotated := b.fields(t, held.SID)["rj"] != held.Refresh.JTI
			retried := b.mustRotate(t, held)
			if retried.Replay != rotated || retried.Generation != held.Generation+1 {
				t.Errorf("killed at %d, rotated %v: the retry got %+v", n, rotated, retried)
			}
			second := b.mustRotate(t, held) // and once more, as a second tab would
			if second.Refresh.JTI != retried.Refresh.JTI || second.Access.JTI != retried.Access.JTI {
				t.Errorf("killed at %d: two lines of tokens", n)
			}
			if v := b.verdict(t, b.mustDeliver(t, retried)); v.State != revocation.Clear {
				t.Errorf("killed at %d: an edge finds %+v", n, v)
			}
		}
		if !finished {
			t.Error("no run came to its end: the test kills at too few commands")
		}
	}
}
