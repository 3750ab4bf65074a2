package server

import (
	"net"
	"runtime"
	"syscall"
	"time"
)

// tcpUserTimeout is Linux's TCP_USER_TIMEOUT, tcp(7), in milliseconds: how long what was
// sent may go unacknowledged, or wait because the peer's window is closed. Each step that
// the peer takes begins it anew.
const tcpUserTimeout = 0x12

// bearNot has the kernel end a connection whose client takes nothing for so long. It is
// asked once for each connection and costs the requests nothing. Elsewhere than on Linux
// such a client is borne.
func bearNot(c net.Conn, limit time.Duration) {
	s, ok := c.(syscall.Conn)
	if !ok || runtime.GOOS != "linux" {
		return
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return // closed already
	}
	_ = raw.Control(func(fd uintptr) { // a protocol that does not know of it goes without
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(limit.Milliseconds()))
	})
}
