package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/issuer/session"
	"tollgate/issuer/users"
	"tollgate/revocation"
)

// parts are what the program keeps in one Redis, with clients as it makes them.
type parts struct {
	*redisClients
	rev      *revocation.Redis
	hot      *revocation.Redis
	users    *users.Redis
	sessions *session.Store
}

func mustParts(t *testing.T, url string, failed func(string)) *parts {
	t.Helper()
	c, err := openRedis(redisSettings(t, map[string]string{"TOLLGATE_REDIS_URL": url}), failed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	s := &parts{redisClients: c, users: users.NewRedis(c.Slow, "tg:", users.NewHasher(1))}
	lives := revocation.Settings{AccessLife: time.Minute, SessionLife: time.Hour, Own: "https://own.example"}
	if s.rev, err = revocation.NewRedis(c.Slow, "tg:", lives); err != nil {
		t.Fatal(err)
	}
	if s.hot, err = revocation.NewRedis(c.Hot, "tg:", lives); err != nil {
		t.Fatal(err)
	}
	if err := s.rev.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.sessions = session.NewStore(c.Slow, "tg:", lives.Own, session.Settings{
		AccessTTL: time.Minute, RefreshTTL: time.Hour, MaxTTL: time.Hour, Rotate: true,
	}, s.rev)
	return s
}

// logIn adds a user, logs in, refreshes and revokes, each step as often as it takes;
// it returns a fault, if it is not that Redis was away.
func (s *parts) logIn(t *testing.T, name string) error {
	t.Helper()
	soon := func(do func(context.Context) error) error {
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			err := do(ctx)
			cancel()
			if err == nil || time.Now().After(end) {
				return err
			}
		}
	}
	var pair session.Pair
	err := soon(func(ctx context.Context) error {
		_, err := s.users.Add(ctx, users.New{Username: name, NoPassword: true, IsActive: true})
		if errors.Is(err, users.ErrExists) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("add: %w", err)
	}
	err = soon(func(ctx context.Context) error {
		birth, err := s.rev.Now(ctx)
		if err == nil {
			pair, err = s.sessions.Start(ctx, session.Start{Birth: birth, Subject: name, Username: name})
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	err = soon(func(ctx context.Context) error {
		_, err := s.sessions.Rotate(ctx, pair.SID, pair.Generation, pair.Refresh.JTI)
		return err
	})
	if err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	return soon(func(ctx context.Context) error {
		_, err := s.rev.Revoke(ctx, revocation.Order{Kind: revocation.KindSession, Issuer: "https://own.example", Value: pair.SID})
		if v := s.hot.Check(ctx, &revocation.Token{Issuer: "https://own.example", SID: pair.SID, JTI: "j", Own: true}); err == nil && v.State != revocation.Revoked {
			err = fmt.Errorf("%w: %+v", revocation.ErrUnavailable, v)
		}
		return err
	})
}

// TestProgramSurvivesFailover: with the program's own clients, all that it keeps in
// Redis is written and read again once there is another primary.
func TestProgramSurvivesFailover(t *testing.T) {
	run := func(t *testing.T, url string, primary func() *testkit.RedisServer) {
		s := mustParts(t, url, nil)
		if err := s.logIn(t, "before"); err != nil {
			t.Fatal(err)
		}
		old := primary()
		old.MustSync()
		old.MustKill()
		start := time.Now()
		if err := s.logIn(t, "after"); err != nil {
			t.Fatal(err)
		}
		t.Logf("a log-in, a refresh and a revocation are through after %s", time.Since(start).Round(time.Millisecond))
		if _, err := s.users.ByName(t.Context(), "before"); err != nil {
			t.Errorf("the user from before: %v", err)
		}
	}
	t.Run("cluster", func(t *testing.T) {
		c := testkit.MustStartCluster(t)
		run(t, c.URL(), func() *testkit.RedisServer { return c.MustPrimaryFor("{rev}") })
	})
	t.Run("sentinel", func(t *testing.T) {
		s := testkit.MustStartSentinel(t)
		run(t, s.URL(), s.MustPrimary)
	})
}

// TestHotClientIsBoundedOnACluster: a node that hangs or is gone costs a request no
// more than the settings say, and a command that was cut off is not sent again.
func TestHotClientIsBoundedOnACluster(t *testing.T) {
	c := testkit.MustStartCluster(t)
	var n counts
	s := mustParts(t, c.URL(), n.failed)
	if err := s.Slow.Incr(t.Context(), "{rev}n").Err(); err != nil {
		t.Fatal(err)
	}
	// Its first connections may take longer than it has for a command.
	testkit.MustAwait(t, "a connection of the hot client", func() bool { return s.Hot.Get(t.Context(), "{rev}n").Err() == nil })
	n.take()
	node := c.MustPrimaryFor("{rev}n")
	node.MustPause()
	start := time.Now()
	err := s.Hot.Incr(t.Context(), "{rev}n").Err()
	took := time.Since(start)
	node.MustContinue()
	if _, hidden := errors.AsType[cutOff](err); err == nil || hidden {
		t.Errorf("paused: %v", err)
	}
	if took > 2*time.Second { // the client's own patience would be 3 s and more
		t.Errorf("paused: %s", took)
	}
	if got := n.take(); len(got) != 1 || got[0] != "incr" {
		t.Errorf("counted: %q", got)
	}
	c.MustSettle()

	if got, err := s.Slow.Get(t.Context(), "{rev}n").Int(); err != nil || got != 2 {
		t.Errorf("two commands, one of them cut off, were carried out %d times, %v", got, err)
	}
}

// TestCutOffIsNotSentAgain: the connection breaks when a node of the cluster has the
// command. go-redis would send it four times.
func TestCutOffIsNotSentAgain(t *testing.T) {
	m, _ := testkit.MustMini(t) // a cluster of one node, if it is asked
	var sent atomic.Int64
	m.Server().SetPreHook(func(c *server.Peer, cmd string, _ ...string) bool {
		if strings.EqualFold(cmd, "incr") {
			sent.Add(1)
			c.Close()
			return true
		}
		return false
	})
	s, err := openRedis(redisSettings(t, map[string]string{"TOLLGATE_REDIS_URL": "redis+cluster://" + m.Addr()}), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, client := range map[string]redis.UniversalClient{"hot": s.Hot, "slow": s.Slow} {
		sent.Store(0)
		if err := client.Incr(t.Context(), "n").Err(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %T %v", name, err, err)
		}
		if n := sent.Load(); n != 1 {
			t.Errorf("%s: sent %d times", name, n)
		}
	}
}

// TestUntouched: only what no server has carried out is sent again.
func TestUntouched(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: errors.New("refused")}
	read := &net.OpError{Op: "read", Err: errors.New("reset")}
	moved := redis.ErrCrossSlot
	cmds := func(errs ...error) (out []redis.Cmder) {
		for _, err := range errs {
			c := redis.NewCmd(t.Context(), "x")
			c.SetErr(err)
			out = append(out, c)
		}
		return out
	}
	raw := redis.NewRawWriteToCmd(t.Context(), io.Discard, "x")
	for name, tt := range map[string]struct {
		err  error
		cmds []redis.Cmder
		want bool
	}{
		"no connection":                           {dial, cmds(dial), true},
		"a connection that broke":                 {read, cmds(read), false},
		"an answer":                               {moved, cmds(moved), false},
		"some of a pipeline were carried out":     {dial, cmds(nil, dial), false},
		"none of a pipeline":                      {dial, cmds(dial, dial), true},
		"what goes straight on is not taken back": {dial, []redis.Cmder{raw}, false},
	} {
		if got := untouched(tt.err, tt.cmds); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
