package main

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// TestSecondCopyOnAReplica: with TOLLGATE_REDIS_MIN_REPLICAS_ACK a revocation is
// acknowledged only while a replica has it, and tokens are let through only while one
// vouches for the primary; a Redis that lost its replica is told from one in good
// health although it answers everything.
func TestSecondCopyOnAReplica(t *testing.T) {
	primary := testkit.MustStartRedis(t)
	host, port, err := net.SplitHostPort(primary.Addr)
	if err != nil {
		t.Fatal(err)
	}
	// First: a process of which no replica vouches for what it reads is not ready.
	replica := testkit.MustStartRedis(t, "--replicaof", host, port)
	s := mustSystemOn(t, primary, "TOLLGATE_REDIS_MIN_REPLICAS_ACK=1", "TOLLGATE_REVOCATION_MAX_STALE=1s")
	s.mustAddUser("alice", "correct horse battery staple")
	alice := s.mustLogin("alice", "correct horse battery staple")
	let := func() bool { return s.call(alice.Access).Status == http.StatusOK }
	s.eventually("a replica vouches", 20*time.Second, let)
	// On a busy machine a replica may take longer than a call may: "Asking again is harmless."
	revoke := func(value string) func() bool {
		return func() bool {
			return s.mustSend("POST", s.Admin+"/admin/v1/revocations", map[string]string{"kind": "jti", "value": value}, bearer(rootToken)...).Status == http.StatusCreated
		}
	}
	s.eventually("a revocation is confirmed", 20*time.Second, revoke("1"))

	replica.MustPause()
	s.eventually("nobody vouches", 20*time.Second, func() bool { return s.call(alice.Access).Status == http.StatusServiceUnavailable })
	answer := s.mustSend("POST", s.Admin+"/admin/v1/revocations", map[string]string{"kind": "jti", "value": "2"}, bearer(rootToken)...)
	if answer.Status != http.StatusServiceUnavailable || !strings.Contains(answer.Body, "only 0 of 1 replicas confirmed it") {
		t.Errorf("revoked without a replica: %d %s", answer.Status, answer.Body)
	}
	replica.MustContinue()
	s.eventually("a replica vouches again", 20*time.Second, let)
	s.eventually("a revocation is confirmed again", 20*time.Second, revoke("2"))
}
