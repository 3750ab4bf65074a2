package wire

import (
	"runtime"
	"syscall"
)

// tcpQuickAck is Linux's TCP_QUICKACK, tcp(7).
const tcpQuickAck = 0xc

// Acknowledge has the kernel acknowledge at once what was read. A back end without
// TCP_NODELAY keeps a second write back until the first is acknowledged (RFC 896), which
// the kernel likes to do with the next thing that is sent: a body that must not come would
// arrive just behind the next request, however long the connection has rested.
func Acknowledge(c syscall.RawConn) {
	if runtime.GOOS != "linux" {
		return
	}
	_ = c.Control(func(fd uintptr) { // a connection that is closed needs none
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpQuickAck, 1)
	})
}
