package gateway

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"tollgate/internal/testkit"
)

// TestPoolsLog: a target that is out is told of in the gateway's log, of the first table
// and of one that came later.
func TestPoolsLog(t *testing.T) {
	var log testkit.Buffer
	p := newPools(slog.New(slog.NewTextHandler(&log, nil)))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	for i, name := range []string{"first", "later"} {
		gone, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		gone.Close()
		table, err := ReadRoutes([]byte("version: 1\nupstreams: {"+name+": {urls: [\"http://"+gone.Addr().String()+"\"], health: {path: /, every: 100ms}}}\n"+
			"routes: [{name: r, match: {path: /}, upstream: "+name+", auth: {mode: none}}]\n"), Defaults{})
		if err != nil {
			t.Fatal(err)
		}
		p.adopt(table)
		if i == 0 {
			go func() { defer close(ended); _ = p.run(ctx) }()
		}
		testkit.MustAwait(t, "a line about the upstream "+name, func() bool { return log.Count("unhealthy\" upstream="+name) > 0 })
	}
	stop()
	<-ended
	p.close()
}
