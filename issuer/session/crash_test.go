package session

import (
	"errors"
	"fmt"
	"testing"

	"tollgate/revocation"
)

// A refresh may die at each of its commands, with or without the command having been
// executed. The client asks again with the token that it has, and the session goes
// on: one line of tokens, whatever was lost.
func TestRefreshCutAtEachCommand(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		b.mustWarm(t)
		for _, deaf := range []bool{false, true} {
			finished := false
			for n := 0; n < 20 && !finished; n++ {
				held := b.mustDeliver(t, b.mustStart(t, fmt.Sprintf("%v %d", deaf, n)))
				lost, err := b.mustCut(t, n, deaf).refresh(t, held)
				if finished = err == nil; !finished && !errors.Is(err, ErrUnavailable) {
					t.Fatalf("cut at %d: %v, want ErrUnavailable", n, err)
				}
				if sid, ferr := b.ByJTI(t.Context(), lost.Refresh.JTI); finished && (ferr != nil || sid != held.SID) {
					t.Errorf("cut at %d: a pair was handed out that cannot be found: %v", n, ferr)
				}
				rotated := b.fields(t, held.SID)["rj"] != held.Refresh.JTI
				b.mustAge(t, held.SID, defaultUndelivered/2) // the client tries much later
				retried := b.mustRotate(t, held)
				if retried.Replay != rotated || retried.Generation != held.Generation+1 {
					t.Errorf("cut at %d, rotated %v: the retry got %+v", n, rotated, retried)
				}
				if finished && retried.Refresh.JTI != lost.Refresh.JTI {
					t.Errorf("the retry got another successor")
				}
				if sid, err := b.ByJTI(t.Context(), retried.Refresh.JTI); err != nil || sid != held.SID {
					t.Errorf("cut at %d: the successor cannot be found by its jti: %v", n, err)
				}
				next := b.mustDeliver(t, retried)
				if v := b.verdict(t, next); v.State != revocation.Clear {
					t.Errorf("cut at %d: an edge finds %+v", n, v)
				}
				if list, err := b.List(t.Context(), held.Subject); err != nil || len(list) != 1 || list[0].Generation != next.Generation {
					t.Errorf("cut at %d: %d sessions listed, %v", n, len(list), err)
				}
			}
			if !finished {
				t.Error("no run came to its end: the test cuts too few commands")
			}
		}
	})
}

// A log-in that dies hands nothing out; what it left expires.
func TestStartCutAtEachCommand(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		b.mustWarm(t)
		for _, deaf := range []bool{false, true} {
			finished := false
			for n := 0; n < 20 && !finished; n++ {
				subject := fmt.Sprintf("%v %d", deaf, n)
				_, err := b.mustCut(t, n, deaf).Start(t.Context(), Start{Birth: b.mustBirth(t), Subject: subject})
				if finished = err == nil; !finished && !errors.Is(err, ErrUnavailable) {
					t.Fatalf("cut at %d: %v, want ErrUnavailable", n, err)
				}
				b.mustStart(t, subject)
			}
			if !finished {
				t.Error("no run came to its end: the test cuts too few commands")
			}
		}
		for _, key := range b.client.Keys(t.Context(), prefix+"*").Val() {
			if b.client.TTL(t.Context(), key).Val() <= 0 {
				t.Errorf("%s has no TTL", key)
			}
		}
	})
}

// A failover that loses the last writes takes the record back. The client that is
// ahead of it gets a clean refusal, and theft is still noticed.
func TestFailoverTakesTheRecordBack(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		p := b.mustDeliver(t, b.mustStart(t, "7"))
		old := b.fields(t, p.SID)
		ahead := b.mustDeliver(t, p)
		b.mustForget(t, p.SID)
		if _, err := b.refresh(t, ahead); !errors.Is(err, ErrLost) {
			t.Errorf("no record = %v, want ErrLost", err)
		}
		b.client.HSet(t.Context(), b.names.session(p.SID), old)
		if _, err := b.refresh(t, ahead); !errors.Is(err, ErrLost) {
			t.Errorf("a generation ahead = %v, want ErrLost", err)
		}
		again := b.mustDeliver(t, p) // the same generation, made anew
		if _, err := b.refresh(t, ahead); !errors.Is(err, ErrLost) {
			t.Errorf("the lost twin of the current token = %v, want ErrLost", err)
		}
		if v := b.verdict(t, again); v.State != revocation.Clear {
			t.Errorf("a loss ended the session: %+v", v)
		}
		b.mustDeliver(t, again)
		if _, err := b.refresh(t, ahead); !errors.Is(err, ErrReuse) {
			t.Errorf("a lower generation of another line = %v, want ErrReuse", err)
		}
	})
}
