package issuerkit

import (
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
)

// WantBodyTimeout sends a request that ends within its body, and holds that the answer
// is 408 and the end of the connection. It waits for as long as the row may take, 30 s
// at most.
func WantBodyTimeout(tb testing.TB, base, begun string) {
	tb.Helper()
	u, err := url.Parse(base)
	must(tb, err)
	conn, err := net.Dial("tcp", u.Host)
	must(tb, err)
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	_, err = io.WriteString(conn, begun)
	must(tb, err)
	answer, err := io.ReadAll(conn) // to the end: the connection is closed
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 408 ") {
		tb.Errorf("%v: %q", err, answer)
	}
}
