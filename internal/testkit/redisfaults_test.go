package testkit

import (
	"strconv"
	"testing"
	"time"
)

func TestRedisComesBackWithLess(t *testing.T) {
	t.Parallel()
	s := MustStartRedis(t)
	s.MustDo("set", "a", "1")
	s.MustRestart()
	if v, err := s.ask("get", "a"); err != nil || v != "1" {
		t.Errorf("restarted: %q, %v", v, err)
	}
	s.MustDo("set", "b", "2")
	s.MustCutTail(10)
	if a, _ := s.ask("get", "a"); a != "1" {
		t.Errorf("the tail was cut off, and a is %q", a)
	}
	if b, err := s.ask("get", "b"); err == nil {
		t.Errorf("the tail was cut off, and b is %q", b)
	}
	s.MustRestartEmpty()
	if n, err := s.command("dbsize"); err != nil || n != int64(0) {
		t.Errorf("restarted empty: %v keys, %v", n, err)
	}
}

func TestRedisWithAnotherClock(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-3 * time.Second, 3 * time.Second} {
		server, before := MustStartRedisAt(t, off), time.Now()
		reply, err := server.command("time")
		after := time.Now()
		parts, _ := reply.([]any)
		if err != nil || len(parts) != 2 {
			t.Fatal(reply, err)
		}
		second, _ := strconv.ParseInt(parts[0].(string), 10, 64)
		got := time.Unix(second, 0).Add(-off)
		if got.Before(before.Add(-2*time.Second)) || got.After(after.Add(time.Second)) {
			t.Errorf("a clock that is to be %s off says %s, asked between %s and %s", off, got, before, after)
		}
	}
}

func TestProxyLeadsElsewhere(t *testing.T) {
	t.Parallel()
	one, two := MustStartRedis(t), MustStartRedis(t)
	one.MustDo("set", "who", "one")
	two.MustDo("set", "who", "two")
	p := MustProxy(t, one.Addr)
	c := MustClient(t, p.Addr)
	if got := c.Get(t.Context(), "who").Val(); got != "one" {
		t.Errorf("first: %q", got)
	}
	p.Retarget(two.Addr)
	MustAwait(t, "the second", func() bool { return c.Get(t.Context(), "who").Val() == "two" })
}
