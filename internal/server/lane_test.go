package server_test

import (
	"bytes"
	"net"
	"net/http"
	"testing"

	"tollgate/internal/server"
)

// laneRequest is one as a browser's program sends it.
var laneRequest = []byte("GET /api/hello HTTP/1.1\r\nHost: edge.test\r\nUser-Agent: bench\r\nAccept: */*\r\nAuthorization: Bearer e30.e30.e30\r\n\r\n")

// mustAsk returns what sends the request over a kept connection and reads the answer,
// itself without garbage, of a listener whose handler does next to nothing.
func mustAsk(tb testing.TB) (ask func()) {
	tb.Helper()
	typ, length, body := []string{"text/plain"}, []string{"4"}, []byte("done")
	s := server.New(server.Config{})
	s.AddPublic("plain", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"], w.Header()["Content-Length"] = typ, length
		_, _ = w.Write(body)
	}), nil)
	r := mustRun(tb, s)
	tb.Cleanup(func() { r.stop(); _ = r.mustEnd() })
	conn, err := net.Dial("tcp", r.Addr("plain").String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	in := make([]byte, 4<<10)
	return func() {
		if _, err := conn.Write(laneRequest); err != nil {
			tb.Fatal(err)
		}
		for have := 0; !bytes.HasSuffix(in[:have], body); {
			n, err := conn.Read(in[have:])
			if have += n; err != nil || have == len(in) {
				tb.Fatalf("answered %q, %v", in[:have], err)
			}
		}
	}
}

// BenchmarkLane is head, hand-over and answer of an ordinary request: the server's own
// share of what the edge costs.
func BenchmarkLane(b *testing.B) {
	ask := mustAsk(b)
	b.ReportAllocs()
	for b.Loop() {
		ask()
	}
}

// TestLaneAllocations holds what the server adds to a request.
func TestLaneAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	ask := mustAsk(t)
	least := testing.AllocsPerRun(300, ask)
	for range 3 { // the server's background work may fall into a series
		least = min(least, testing.AllocsPerRun(300, ask))
	}
	if most := 13.0; least > most {
		t.Errorf("%v allocations, %v are accepted", least, most)
	}
}
