package gateway

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

// TestPoolsLog: a target that is out is told of in the gateway's log, of the first table
// and of one that came later.
func TestPoolsLog(t *testing.T) {
	var log lines
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
		for end := time.Now().Add(20 * time.Second); log.count("unhealthy\" upstream="+name) == 0; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("nothing is told of the upstream %s", name)
			}
		}
	}
	stop()
	<-ended
	p.close()
}
