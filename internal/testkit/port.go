package testkit

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// handedOut are the ports that this process's tests were given: two of them must
// not get the same one before either has opened it. Each is kept from the tests of
// other packages, which run beside these, by a socket of its name that has no file and
// ends with the process.
var (
	handedOutMu sync.Mutex
	handedOut   = map[int]net.Listener{}
)

// MustFreeAddr returns the address (127.0.0.1:port) of a port as MustFreePort's.
func MustFreeAddr(tb testing.TB) string {
	tb.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(MustFreePort(tb)))
}

// MustFreePort returns a TCP port of loopback that nobody listens on. It lies
// below the range from which the kernel picks the ports of outgoing connections,
// so that no client of another test takes it in between.
func MustFreePort(tb testing.TB) int {
	tb.Helper()
	handedOutMu.Lock()
	defer handedOutMu.Unlock()
	for range 1000 {
		port := 12000 + rand.IntN(20000)
		if handedOut[port] != nil {
			continue
		}
		kept, err := net.Listen("unix", "@tollgate-test-port-"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			_ = kept.Close()
			continue
		}
		_ = l.Close()
		handedOut[port] = kept
		return port
	}
	tb.Fatal("no free port between 12000 and 32000")
	return 0
}
