package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/revocation"
)

// liveReplica is the time a replica that runs has to confirm: no more than a busy
// machine may take, as the answer comes when the replica does.
const liveReplica = 10 * time.Second

// wantUnconfirmed checks that a change is said to be written but not confirmed.
func wantUnconfirmed(t *testing.T, err error, known string) {
	t.Helper()
	var u *revocation.Unconfirmed
	if !errors.As(err, &u) || !errors.Is(err, revocation.ErrUnconfirmed) || !errors.Is(err, revocation.ErrUnavailable) {
		t.Fatalf("err = %v, want an ErrUnconfirmed that is an ErrUnavailable", err)
	}
	if !strings.Contains(u.Known, known) || !strings.Contains(err.Error(), known) {
		t.Fatalf("err = %v, known %q, want %q", err, u.Known, known)
	}
}

// A change is acknowledged when the replica has it, and only then; one that is not
// acknowledged is written all the same, and asking again acknowledges it.
func TestConfirm(t *testing.T) {
	primary := startPrimary(t)
	replica := startReplica(t, primary)
	s := confirming(t, testkit.MustClient(t, primary.Addr), 1, liveReplica)
	behind := testkit.MustClient(t, replica.Addr)
	for i := range 100 {
		r := mustRevoke(t, s, revocation.KindJTI, fmt.Sprint("j", i))
		if n := behind.Exists(t.Context(), s.EntryKey(revocation.DigestOf(r.Issuer, r.Kind, r.Value))).Val(); n != 1 {
			t.Fatalf("call %d is acknowledged and not on the replica", i)
		}
	}
	undone := mustRevoke(t, s, revocation.KindSession, "s")

	replica.MustPause()
	s.Confirm(1, 20*time.Millisecond)
	order := revocation.Order{Kind: revocation.KindJTI, Value: "late"}
	_, err := s.Revoke(t.Context(), order)
	wantUnconfirmed(t, err, "written, but only 0 of 1 replicas confirmed it within 20ms")
	if v := s.Check(t.Context(), &revocation.Token{Issuer: "i", JTI: "late", Own: true, IssuedAt: time.Now().Unix()}); v.State != revocation.Revoked {
		t.Fatalf("not confirmed, so %v; want it written", v)
	}
	for range 3 { // asking again must not take an older confirmation for one of this
		_, err = s.Revoke(t.Context(), order)
		wantUnconfirmed(t, err, "0 of 1")
		_, err = s.Undo(t.Context(), undone.ID)
		wantUnconfirmed(t, err, "0 of 1")
	}
	if _, err = s.Undo(t.Context(), revocation.Revocation{}.ID); !errors.Is(err, revocation.ErrNotFound) {
		t.Fatalf("undo of nothing: %v", err)
	}
	replica.MustContinue()
	s.Confirm(1, liveReplica)
	testkit.MustAwait(t, "confirmation", func() bool {
		_, revoked := s.Revoke(t.Context(), order)
		_, undid := s.Undo(t.Context(), undone.ID)
		return revoked == nil && undid == nil
	})
}

// An undo that had been made needs a confirmation like the first one, also on a
// connection that has written nothing before.
func TestConfirmOfAChangeThatStandsAlready(t *testing.T) {
	primary := startPrimary(t)
	replica := startReplica(t, primary)
	s := confirming(t, testkit.MustClient(t, primary.Addr), 1, liveReplica)
	r := mustRevoke(t, s, revocation.KindJTI, "j")
	replica.MustPause()
	defer replica.MustContinue()
	s.Confirm(1, 20*time.Millisecond)
	_, err := s.Undo(t.Context(), r.ID)
	wantUnconfirmed(t, err, "0 of 1")
	fresh := confirming(t, testkit.MustClient(t, primary.Addr), 1, 20*time.Millisecond)
	_, err = fresh.Undo(t.Context(), r.ID)
	wantUnconfirmed(t, err, "0 of 1")
}

// A cluster's primary without a replica never confirms, whichever node a WAIT
// without a key would have gone to; with one it does.
func TestConfirmInACluster(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t, "tg:{rev}:epoch")
	// A replica of another primary confirms nothing of ours.
	other := addReplica(t, nodes, nodes[1])
	s := confirming(t, clusterClient(t, nodes), 1, 10*time.Millisecond)
	var calls sync.WaitGroup
	errs := make([]error, 300)
	for part := range 10 { // at the same time: a WAIT in vain takes Redis 100 ms
		calls.Go(func() {
			for i := part; i < len(errs); i += 10 {
				_, errs[i] = s.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: fmt.Sprint("j", i)})
			}
		})
	}
	calls.Wait()
	for _, err := range errs {
		wantUnconfirmed(t, err, "0 of 1")
	}
	addReplica(t, append(nodes, other), nodes[0])
	s.Confirm(1, liveReplica)
	for i := range 300 {
		mustRevoke(t, s, revocation.KindJTI, fmt.Sprint("j", i))
	}
}

// addReplica starts a replica of one primary of a cluster.
func addReplica(t *testing.T, nodes []*testkit.RedisServer, of *testkit.RedisServer) *testkit.RedisServer {
	t.Helper()
	s := startNode(t, nodes)
	awaitCluster(t, append(nodes, s))
	id := testkit.MustClient(t, of.Addr).Do(t.Context(), "cluster", "myid").Val().(string)
	if err := testkit.MustClient(t, s.Addr).ClusterReplicate(t.Context(), id).Err(); err != nil {
		t.Fatal(err)
	}
	awaitReplicas(t, of.Addr, 1)
	return s
}

// A slot that has moved is found again, although the client does not follow
// redirections on a connection of its own; so are scripts that the new primary has
// never seen.
func TestConfirmFindsTheSlotsNewPrimary(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t, "tg:{rev}:epoch")
	replica := addReplica(t, nodes, nodes[0])
	s := confirming(t, clusterClient(t, nodes), 0, 0)
	mustRevoke(t, s, revocation.KindJTI, "before")
	s.Confirm(1, liveReplica)
	mustRevoke(t, s, revocation.KindJTI, "with a replica")
	if err := testkit.MustClient(t, replica.Addr).Do(t.Context(), "cluster", "failover", "takeover").Err(); err != nil {
		t.Fatal(err)
	}
	awaitReplicas(t, replica.Addr, 1)
	mustRevoke(t, s, revocation.KindJTI, "after")
	if err := testkit.MustClient(t, replica.Addr).ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	mustRevoke(t, s, revocation.KindJTI, "after NOSCRIPT")
}

// A primary that was made a replica refuses (READONLY); the next connection may go to
// the new one, as with Sentinels.
func TestConfirmAfterReadOnly(t *testing.T) {
	primary := startPrimary(t)
	replica := startReplica(t, primary)
	client, moveTo := moving(t, primary.Addr)
	s := confirming(t, client, 1, liveReplica)
	mustRevoke(t, s, revocation.KindJTI, "before")
	host, port, _ := strings.Cut(replica.Addr, ":")
	if err := testkit.MustClient(t, replica.Addr).SlaveOf(t.Context(), "no", "one").Err(); err != nil {
		t.Fatal(err)
	}
	if err := testkit.MustClient(t, primary.Addr).SlaveOf(t.Context(), host, port).Err(); err != nil {
		t.Fatal(err)
	}
	awaitReplicas(t, replica.Addr, 1)
	go func() {
		time.Sleep(2 * time.Millisecond) // after the first refusal; before is no harm
		moveTo(replica.Addr)
	}()
	mustRevoke(t, s, revocation.KindJTI, "after")
}

// Nobody is asked, and an outage is no "written": what is not known is not said.
func TestConfirmSaysNoMoreThanIsKnown(t *testing.T) {
	primary := startPrimary(t)
	s := confirming(t, testkit.MustClient(t, primary.Addr), 1, 20*time.Millisecond)
	primary.MustPause()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := s.Revoke(ctx, revocation.Order{Kind: revocation.KindJTI, Value: "j"})
	if !errors.Is(err, revocation.ErrUnavailable) || errors.Is(err, revocation.ErrUnconfirmed) {
		t.Errorf("err = %v, want ErrUnavailable alone", err)
	}
	primary.MustContinue()
	s.Confirm(0, 0)
	mustRevoke(t, s, revocation.KindJTI, "j")
}
