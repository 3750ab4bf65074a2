package session

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
)

func TestList(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		if list, err := b.List(t.Context(), "7"); err != nil || len(list) != 0 {
			t.Errorf("of nobody = %v, %v", list, err)
		}
		var want []string // newest first
		for i := range 5 {
			p := b.mustStart(t, "7")
			want = append([]string{p.SID}, want...)
			if i%2 == 0 { // refreshed ones live longer, which does not move them
				b.mustDeliver(t, p)
			}
		}
		b.mustStart(t, "8")
		list, err := b.List(t.Context(), "7")
		if err != nil || len(list) != len(want) {
			t.Fatalf("List = %d sessions, %v; want %d", len(list), err, len(want))
		}
		for i, s := range list {
			if s.SID != want[i] || s.State != StateLive || s.Subject != "7" || s.Username != "name of 7" {
				t.Errorf("session %d = %+v", i, s)
			}
		}
		if err := b.End(t.Context(), want[1], "why", "who"); err != nil {
			t.Fatal(err)
		}
		b.mustForget(t, want[2])
		list, err = b.List(t.Context(), "7")
		if err != nil || len(list) != 4 || list[1].State != StateEnded || list[1].Actor != "who" {
			t.Errorf("List = %+v, %v", list, err)
		}
		if n := b.client.ZCard(t.Context(), b.names.subject("7")).Val(); n != 4 {
			t.Errorf("%d in the index, want 4: a session without a record is taken out", n)
		}
		if _, err := b.Get(t.Context(), want[2]); !errors.Is(err, ErrNotFound) {
			t.Errorf("Get without a record = %v, want ErrNotFound", err)
		}
	})
}

// A program that logs in all day must not grow its subject's list: each log-in takes
// out some that are over, and none that lives.
func TestIndexIsPruned(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		key := b.names.subject("7")
		past := float64(time.Now().Add(-time.Hour).Unix())
		for i := range 50 {
			b.client.ZAdd(t.Context(), key, redis.Z{Score: past, Member: "gone " + strconv.Itoa(i)})
		}
		p := b.mustStart(t, "7")
		b.client.ZAdd(t.Context(), key, redis.Z{Score: past - 1, Member: p.SID}) // a score that lags behind
		for range 2 {
			b.mustStart(t, "7")
		}
		list, err := b.List(t.Context(), "7")
		if err != nil || len(list) != 3 {
			t.Errorf("List = %d sessions, %v; want 3", len(list), err)
		}
		if n := b.client.ZCard(t.Context(), key).Val(); n != 3 {
			t.Errorf("%d in the index, want 3", n)
		}
		b.mustRotate(t, p)
		if score := b.client.ZScore(t.Context(), key, p.SID).Val(); score <= past {
			t.Errorf("a refresh did not mend the score: %v", score)
		}
	})
}

// A cluster refuses a script or a transaction over two slots.
func TestEveryCallWorksOnTopologies(t *testing.T) {
	onTopologies(t, ordinary(), wantEveryCall)
}

func wantEveryCall(t *testing.T, b box) {
	for i := range 20 { // sessions and subjects in many slots
		subject := fmt.Sprint("user ", i)
		spent := b.mustStart(t, subject)
		current := b.mustDeliver(t, spent)
		if st, err := b.Peek(t.Context(), current.SID, 2, current.Refresh.JTI); st != Current || err != nil {
			t.Fatalf("Peek = %v, %v", st, err)
		}
		if sid, err := b.ByJTI(t.Context(), spent.Refresh.JTI); err != nil || sid != spent.SID {
			t.Fatalf("ByJTI = %v", err)
		}
		switch i % 4 {
		case 0:
			b.mustAge(t, spent.SID, time.Minute)
			if _, err := b.refresh(t, spent); !errors.Is(err, ErrReuse) {
				t.Errorf("Rotate = %v", err)
			}
			b.checkEnded(t, current, reasonReuse)
		case 1:
			if err := b.End(t.Context(), current.SID, "why", "who"); err != nil {
				t.Error(err)
			}
			b.checkEnded(t, current, "why")
		case 2:
			b.client.HSet(t.Context(), b.names.session(current.SID), "state", StateEnding, "why", "why", "over", 1)
			if err := b.scan(t.Context()); err != nil {
				t.Error(err)
			}
			b.checkEnded(t, current, "why")
		default:
			if _, err := b.EndAll(t.Context(), subject, "why", "who"); err != nil {
				t.Error(err)
			}
			if list, err := b.List(t.Context(), subject); err != nil || len(list) != 1 || list[0].State != StateRevoked {
				t.Errorf("List = %v, %v", list, err)
			}
		}
	}
	if err := b.Sweep(t.Context()); err != nil {
		t.Errorf("Sweep = %v", err)
	}
}

// TestGetTellsTheLine: the pair that stands and the one before it, and no older one.
func TestGetTellsTheLine(t *testing.T) {
	onEach(t, ordinary(), func(t *testing.T, b box) {
		first := b.mustStart(t, "7")
		second := b.mustRotate(t, first)
		third := b.mustRotate(t, second)
		s, err := b.Get(t.Context(), first.SID)
		want := []Minted{
			{Stamp: third.Refresh, Refresh: true, Generation: 3}, {Stamp: third.Access, Generation: 3},
			{Stamp: second.Refresh, Refresh: true, Generation: 2}, {Stamp: second.Access, Generation: 2},
		}
		if diff := cmp.Diff(want, s.Minted); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}
