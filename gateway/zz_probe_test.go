package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestProbeExpect(t *testing.T) {
	a := mustArena(t, edgeOptions{routes: hostileRoutes})
	for _, addr := range []string{a.addr, strings.TrimPrefix(a.URL, "http://")} {
		for _, more := range []string{"", "hello", "helloGET /public/x HTTP/1.1\r\nHost: h\r\n\r\n", "GET /public/x HTTP/1.1\r\nHost: h\r\n\r\n"} {
			c, _ := net.Dial("tcp", addr)
			fmt.Fprint(c, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
			time.Sleep(50 * time.Millisecond)
			fmt.Fprint(c, more)
			c.SetDeadline(time.Now().Add(1 * time.Second))
			b, err := io.ReadAll(bufio.NewReader(c))
			fmt.Printf("== %s %q: %v\n%s\n", addr, more, err, b)
			c.Close()
		}
	}
}
