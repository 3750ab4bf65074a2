package server

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// shake does one handshake, within the time for it. Nil: it must not be spoken of.
func (a *arrivals) shake(ctx context.Context, raw net.Conn) (out net.Conn) {
	conn := tls.Server(raw, a.config)
	defer func() {
		if fault := recover(); fault != nil { // as net/http does: one client must not end all
			_ = raw.Close()
			a.log.Printf("http: panic shaking hands with %v: %v", raw.RemoteAddr(), fault)
			out = nil
		}
	}()
	_ = conn.SetDeadline(time.Now().Add(a.timeout)) // fails where the client is gone: then the handshake does
	if err := conn.HandshakeContext(ctx); err != nil {
		return conn
	}
	_ = conn.SetDeadline(time.Time{})
	if conn.ConnectionState().NegotiatedProtocol == "h2" {
		return conn
	}
	return &tlsWire{wire{Conn: conn}, conn.ConnectionState}
}
