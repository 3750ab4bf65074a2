package revocation_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// beat runs a heart and returns how to stop it.
func beat(t *testing.T, client redis.UniversalClient) (stop func()) {
	t.Helper()
	h, err := revocation.NewHeart(revocation.HeartConfig{Client: client, Prefix: "tg:", Replicas: 1, Within: 50 * time.Millisecond, Every: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("heart: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// pulseOf reads the beats of the epoch.
func pulseOf(t *testing.T, client redis.UniversalClient, s *revocation.Redis) (beat, confirmed int64, holder string) {
	t.Helper()
	h := kit{client: client}.hash(t, s.EpochKey())
	beat, _ = strconv.ParseInt(h["beat"], 10, 64)
	confirmed, _ = strconv.ParseInt(h["confirmed"], 10, 64)
	return beat, confirmed, h["heart"]
}

// What a primary says is believed only while its replica confirms: with the replica
// cut off, knowledge gets stale although every read is answered, and what is read is
// still applied; with the replica back it is fresh again.
func TestFeedBelievesOnlyWhatReplicasVouchFor(t *testing.T) {
	t.Parallel()
	primary := startPrimary(t)
	replica := startReplica(t, primary)
	client := testkit.MustClient(t, primary.Addr)
	s := confirming(t, client, 0, 0)
	f := follow(t, client, func(c *revocation.FeedConfig) { c.Replicas = 1 })
	f.await("ten reads", func() bool { return f.said >= 10 })
	f.await("nothing", func() bool { return !f.level && f.sent.IsZero() }) // nobody beats
	beat(t, client)
	f.awaitLevel()
	f.awaitTold(mustRevoke(t, s, revocation.KindJTI, "j"))

	replica.MustPause()
	beats, _, _ := pulseOf(t, client, s)
	testkit.MustAwait(t, "beats in vain", func() bool {
		now, confirmed, _ := pulseOf(t, client, s)
		return now > beats+2 && now > confirmed+1
	})
	f.mu.Lock()
	said := f.said
	f.mu.Unlock()
	f.await("a read in vain", func() bool { return f.said > said+2 })
	f.mu.Lock()
	stopped, said := f.sent, f.said
	f.mu.Unlock()
	f.awaitTold(mustRevoke(t, s, revocation.KindJTI, "meanwhile"))
	f.await("ten reads", func() bool { return f.said >= said+10 })
	f.mu.Lock()
	if !f.sent.Equal(stopped) || !f.level {
		t.Errorf("level %v, fresh as of %v after %v, though no replica confirms", f.level, f.sent, stopped)
	}
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := f.feed.CatchUp(ctx); !errors.Is(err, revocation.ErrUnavailable) {
		t.Errorf("catch up without a replica: %v", err)
	}

	replica.MustContinue()
	f.awaitLevel()
	from := time.Now()
	if err := f.feed.CatchUp(t.Context()); err != nil {
		t.Errorf("catch up: %v", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sent.Before(from) {
		t.Errorf("caught up, yet fresh only as of %v before", from.Sub(f.sent))
	}
}

// A deposed primary that still answers, beats and is believed by its own heart cannot
// vouch for itself; the feed is fresh again once it reads the new one.
func TestFeedOnADeposedPrimary(t *testing.T) {
	t.Parallel()
	deposed := startPrimary(t)
	promoted := startReplica(t, deposed)
	startReplica(t, promoted) // confirms for the new one
	client, moveTo := moving(t, deposed.Addr)
	s := confirming(t, client, 0, 0)
	beat(t, client)
	f := follow(t, client, func(c *revocation.FeedConfig) { c.Replicas = 1 })
	f.awaitLevel()
	if err := testkit.MustClient(t, promoted.Addr).SlaveOf(t.Context(), "no", "one").Err(); err != nil {
		t.Fatal(err)
	}
	since := time.Now() // from here on somebody else may acknowledge
	elsewhere := confirming(t, testkit.MustClient(t, promoted.Addr), 1, liveReplica)
	r := mustRevoke(t, elsewhere, revocation.KindJTI, "elsewhere")
	f.mu.Lock()
	said := f.said
	f.mu.Unlock()
	f.await("ten reads", func() bool { return f.said >= said+10 })
	f.mu.Lock()
	if f.sent.After(since) {
		t.Errorf("believes the deposed primary as of %v after another took over", f.sent.Sub(since))
	}
	f.mu.Unlock()
	beats, _, _ := pulseOf(t, testkit.MustClient(t, deposed.Addr), s)
	testkit.MustAwait(t, "beats there", func() bool {
		now, _, _ := pulseOf(t, testkit.MustClient(t, deposed.Addr), s)
		return now > beats
	})
	moveTo(promoted.Addr)
	deposed.MustKill()
	f.awaitTold(r)
	f.awaitLevel()
}

// One heart beats at a time; when it stops, the next takes over at once, because the
// lease was given up.
func TestHeartByLease(t *testing.T) {
	primary := startPrimary(t)
	startReplica(t, primary)
	client := testkit.MustClient(t, primary.Addr)
	s := confirming(t, client, 0, 0)
	stop := beat(t, client)
	testkit.MustAwait(t, "a beat", func() bool { _, confirmed, _ := pulseOf(t, client, s); return confirmed > 0 })
	_, _, first := pulseOf(t, client, s)
	beat(t, client)
	before, _, _ := pulseOf(t, client, s)
	testkit.MustAwait(t, "ten beats", func() bool {
		now, confirmed, holder := pulseOf(t, client, s)
		if holder != first {
			t.Fatalf("the lease went from %q to %q while it was renewed", first, holder)
		}
		return confirmed > before+10 && now >= confirmed
	})
	stop()
	before, _, _ = pulseOf(t, client, s)
	testkit.MustAwait(t, "the other's beats", func() bool {
		_, confirmed, holder := pulseOf(t, client, s)
		return confirmed > before && holder != first && holder != ""
	})
}

// Where there is no epoch a heart makes none: its absence is how a loss is noticed.
// A heart goes on after losses and outages by itself.
func TestHeartMakesNoEpoch(t *testing.T) {
	primary := startPrimary(t)
	startReplica(t, primary)
	client := testkit.MustClient(t, primary.Addr)
	beat(t, client)
	time.Sleep(100 * time.Millisecond) // five beats
	if n := client.DBSize(t.Context()).Val(); n != 0 {
		t.Fatalf("%d keys", n)
	}
	s := confirming(t, client, 0, 0)
	testkit.MustAwait(t, "beats", func() bool { _, confirmed, _ := pulseOf(t, client, s); return confirmed > 2 })
	if err := client.Del(t.Context(), s.EpochKey()).Err(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if n := client.DBSize(t.Context()).Val(); n != 0 {
		t.Fatalf("%d keys after a loss", n)
	}
}

// A lease left behind by a server whose clock was ahead is not waited for.
func TestHeartPassesOverALeaseOfAnotherClock(t *testing.T) {
	primary := startPrimary(t)
	startReplica(t, primary)
	client := testkit.MustClient(t, primary.Addr)
	s := confirming(t, client, 0, 0)
	ahead := time.Now().Add(time.Hour).UnixMicro()
	if err := client.HSet(t.Context(), s.EpochKey(), "heart", "gone", "heart_until", ahead).Err(); err != nil {
		t.Fatal(err)
	}
	beat(t, client)
	testkit.MustAwait(t, "a beat", func() bool { _, confirmed, _ := pulseOf(t, client, s); return confirmed > 0 })
}

func TestNewHeartRefuses(t *testing.T) {
	_, client := testkit.MustMini(t)
	good := revocation.HeartConfig{Client: client, Prefix: "tg:", Replicas: 1}
	if _, err := revocation.NewHeart(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*revocation.HeartConfig){
		"no client":    func(c *revocation.HeartConfig) { c.Client = nil },
		"no deadlines": func(c *revocation.HeartConfig) { c.Client = redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}) },
		"a brace":      func(c *revocation.HeartConfig) { c.Prefix = "{" },
		"no replicas":  func(c *revocation.HeartConfig) { c.Replicas = 0 },
		"too often":    func(c *revocation.HeartConfig) { c.Every = time.Millisecond },
		"too seldom":   func(c *revocation.HeartConfig) { c.Every = time.Minute },
	} {
		c := good
		spoil(&c)
		if _, err := revocation.NewHeart(c); !errors.Is(err, revocation.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A lookup is as old as the latest confirmed beat, when replicas are asked for; a
// deposed primary's verdicts age although it answers.
func TestLookupsAgeWithTheHeart(t *testing.T) {
	primary := startPrimary(t)
	replica := startReplica(t, primary)
	client := testkit.MustClient(t, primary.Addr)
	s := confirming(t, client, 1, liveReplica)
	plain := confirming(t, client, 0, 0)
	mustRevoke(t, s, revocation.KindJTI, "revoked")
	check := func(s *revocation.Redis, jti string) revocation.Verdict {
		t.Helper()
		v := s.Check(t.Context(), &revocation.Token{Issuer: "i", JTI: jti, Born: time.Now().UnixMicro()})
		if want := map[bool]revocation.State{true: revocation.Revoked, false: revocation.Clear}[jti == "revoked"]; v.State != want {
			t.Fatalf("%s: %+v", jti, v)
		}
		return v
	}
	if v := check(s, "j"); v.Stale < 24*time.Hour {
		t.Errorf("nobody beats: %+v", v)
	}
	beat(t, client)
	testkit.MustAwait(t, "a fresh verdict", func() bool { return check(s, "j").Stale < time.Second })
	if v := check(plain, "j"); v.Stale != 0 {
		t.Errorf("nobody is asked: %+v", v)
	}
	replica.MustPause()
	testkit.MustAwait(t, "a stale verdict", func() bool { return check(s, "j").Stale > 2*time.Second })
	check(s, "revoked")
	replica.MustContinue()
	testkit.MustAwait(t, "a fresh verdict", func() bool { return check(s, "j").Stale < time.Second })
}
