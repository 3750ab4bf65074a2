package revocation_test

import (
	"fmt"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// TestTurnOfOneThatIsGone: the process that had the turn to fill an emptied store is gone,
// and so is one that said it was still at it. Their leases end, somebody else has the
// turn, and all is vouched for again.
func TestTurnOfOneThatIsGone(t *testing.T) {
	t.Parallel()
	const many = 300 // several batches
	f, _ := serverFleet(t)
	f.revokeMany("kept", many)
	before := f.epoch()["id"]
	l := loser{f.kit, t, f.all[0].store}
	stopped := f.all[2]
	stopped.stop()
	l.do("flushall")
	testkit.MustAwait(t, "the epoch after the loss", func() bool { e := f.epoch(); return e["id"] != before && e["lost"] != "" })
	until := fmt.Sprint(time.Now().Add(5 * time.Second).UnixMicro())
	l.do("hset", f.all[0].store.EpochKey(), "turn", stopped.Name()+" "+until, "m:"+stopped.Name(), until)
	testkit.MustAwait(t, "mended", func() bool {
		e := f.epoch()
		return e["lost"] == "" && e["complete_since"] == "0" && e["turn"] == "" && e["m:"+stopped.Name()] == ""
	}, func() string { return fmt.Sprint(f.epoch()) }, f.all[0].detail, f.all[1].detail)
	f.wantRevoked("kept", many)
}
