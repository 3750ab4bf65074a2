package gateway

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/internal/testkit"
	"tollgate/keys"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// outage is a store that a test takes away and gives back.
type outage struct {
	changing
	down  bool
	asked int
	now   int // questions under way
	most  int
	wait  time.Duration
}

func (o *outage) check(t *revocation.Token) revocation.Verdict {
	o.mu.Lock()
	o.asked++
	o.now++
	o.most = max(o.most, o.now)
	down, wait := o.down, o.wait
	o.mu.Unlock()
	time.Sleep(wait)
	defer func() {
		o.mu.Lock()
		o.now--
		o.mu.Unlock()
	}()
	if down {
		return revocation.Verdict{State: revocation.Unknown, Cause: revocation.CauseUnreachable}
	}
	return o.changing.check(t)
}

func (o *outage) set(change func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change()
}

func (o *outage) count() (asked, most int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked, o.most
}

// After a gap in the feed each stream is asked about until somebody can say, on a
// route that would let through what nobody knows, too; that nobody can ends
// nothing.
func TestRecheckAsksUntilSomebodyCanSay(t *testing.T) {
	for _, onUnavailable := range []string{"deny", "allow"} {
		state := &outage{changing: changing{gone: map[string]bool{}}}
		e := mustEdge(t, edgeOptions{handler: streaming, check: state.check, routes: "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\n" +
			"routes: [{name: ws, match: {path: /}, upstream: app, websocket: true, revocation: {on_unavailable: " + onUnavailable + "}}]\n"})
		a, b := e.dial(t, "/ws", bearerOf(e.token(t, withJTI("a")))...), e.dial(t, "/ws", bearerOf(e.token(t, withJTI("b")))...)
		a.wantHello(t)
		b.wantHello(t)
		testkit.MustAwait(t, "open", func() bool { return e.gateway.OpenStreams() == 2 })
		state.revoke("a")
		state.set(func() { state.down = true })
		before, _ := state.count()
		e.gateway.Recheck()
		testkit.MustAwait(t, "asked twice", func() bool { asked, _ := state.count(); return asked >= before+4 })
		if n := e.gateway.OpenStreams(); n != 2 {
			t.Errorf("a store that does not answer left %d streams", n)
		}
		state.set(func() { state.down = false })
		a.wantClosed(t, "revoked")
		testkit.MustAwait(t, "one left", func() bool { return e.gateway.OpenStreams() == 1 })
	}
}

// Questions are few at a time, and the pauses between rounds grow; what is asked
// for during a round makes one more after it, however often it is; a round in vain
// asks about a few streams alone, and in the end all of them are asked about.
func TestRecheckIsBounded(t *testing.T) {
	const open = 200
	state := &outage{changing: changing{gone: map[string]bool{}}}
	e := mustEdge(t, edgeOptions{})
	public, err := keys.NewKey(&e.key.PublicKey, keys.ES256)
	if err != nil {
		t.Fatal(err)
	}
	set, err := keys.NewSet(public)
	if err != nil {
		t.Fatal(err)
	}
	raw, now := e.token(t), time.Now()
	synctest.Test(t, func(t *testing.T) {
		v, err := token.New(token.Config{
			Issuers: []token.Issuer{{Name: issuerName, Keys: token.NewStaticKeys(set), Own: true}}, Now: func() time.Time { return now },
		})
		if err != nil {
			t.Fatal(err)
		}
		policy := &token.Policy{MaxStale: time.Second}
		id, err := v.Authenticate(t.Context(), raw, policy, checkerFunc(state.check))
		if err != nil {
			t.Fatal(err)
		}
		s := newStreams(v, checkerFunc(state.check))
		for range open {
			if refusal := s.add(t.Context(), &stream{identity: id, policy: policy, end: func(why token.Reason) { t.Error(why) }}); refusal != nil {
				t.Fatal(refusal)
			}
		}
		state.set(func() { state.asked, state.most, state.wait, state.down = 0, 0, 10*time.Millisecond, false })
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.run(ctx) }()
		s.ask()
		time.Sleep(time.Millisecond) // the round has begun
		for range 20 {
			s.ask()
		}
		time.Sleep(time.Minute)
		asked, most := state.count()
		if asked != 2*open || most != recheckAtOnce {
			t.Errorf("%d questions, %d at once; want %d, %d", asked, most, 2*open, recheckAtOnce)
		}
		state.set(func() { state.asked, state.down = 0, true })
		s.ask()
		time.Sleep(time.Minute)
		// 0.1 + 0.2 + 0.4 + 0.8 + 1.6 s, then 2 s each, and each round takes a moment.
		if asked, _ = state.count(); asked/recheckVain < 25 || asked/recheckVain > 40 {
			t.Errorf("%d questions in a minute of outage", asked)
		}
		state.set(func() { state.asked, state.down = 0, false })
		time.Sleep(10 * time.Second)
		if asked, _ = state.count(); asked != open {
			t.Errorf("%d questions afterwards, want one of each of %d", asked, open)
		}
		for _, st := range s.all() {
			s.remove(st)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
