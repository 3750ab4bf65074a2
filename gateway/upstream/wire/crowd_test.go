package wire_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"tollgate/gateway/upstream/wire"
)

// TestCrowd: far more exchanges at once than a processor has under way as a rule. Each
// gets its own answer, some are called off meanwhile, and a back end that keeps all of
// them waiting until the last has come keeps none from being sent.
func TestCrowd(t *testing.T) {
	crowd := 4 * 64 * runtime.GOMAXPROCS(0)
	var come atomic.Int64
	complete := make(chan struct{})
	b := mustBackend(t, func(c net.Conn, in *bufio.Reader) {
		for {
			r := readRequest(in)
			if r == nil {
				return
			}
			switch n := come.Add(1); {
			case n == int64(crowd):
				close(complete)
			case n < int64(crowd):
				<-complete
			}
			name := r.URL.Path
			if _, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(name), name); err != nil {
				return
			}
		}
	})
	p := b.pool(t)
	why := errors.New("the client left")
	var all sync.WaitGroup
	for i := range crowd {
		all.Go(func() {
			for round := range 20 {
				ctx, cancel := context.WithCancelCause(t.Context())
				off := round > 0 && (i+round)%7 == 0
				if off {
					go cancel(why)
				}
				name := fmt.Sprintf("/%d/%d", i, round)
				a, err := p.Do(ctx, &wire.Request{Method: http.MethodGet, Target: name, Host: "x"})
				var body []byte
				if err == nil {
					body, err = io.ReadAll(a)
					_ = a.Close()
				}
				cancel(nil)
				if err == nil && string(body) != name || err != nil && !(off && errors.Is(err, why)) {
					t.Errorf("%s: %q, %v", name, body, err)
					return
				}
			}
		})
	}
	all.Wait()
}
