//go:build chaos

package main

import (
	"fmt"
	"testing"

	"tollgate/internal/testkit"
)

// TestChaosFirstBoot: on an empty Redis an edge that is alone lets tokens through that
// others issued an hour ago, and a log-in within the second of the first start passes.
func TestChaosFirstBoot(t *testing.T) {
	t.Parallel()
	r := testkit.MustStartRedis(t)
	for round := range full(100, 4) {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			r.MustDo("flushall")
			f := mustFleet(t, plan{Redis: r, Edges: 1, Bare: true, Home: []string{"TOLLGATE_KEY_STORE=file:" + t.TempDir()}})
			// The issuer's process has made the store; this edge is the first of the next.
			f.Edges[0].stop()
			r.MustDo("flushall")
			alone := f.mustStart("TOLLGATE_ENABLE_ISSUER=false", "TOLLGATE_ENABLE_ADMIN=false", "TOLLGATE_TRUSTED_ISSUERS_FILE="+f.issuers, "TOLLGATE_REDIS_PREFIX=alone:")
			alone.wantCall(f.Foreign.mint("s", "j"), 200, "")
			// A whole system on a store of its own.
			whole := mustSystemOn(t, r, "TOLLGATE_REDIS_PREFIX=whole:")
			whole.mustAddUser(ada, adaPassword)
			whole.wantCall(whole.mustLogin(ada, adaPassword).Access, 200, "")
		})
	}
}
