package server

import (
	"crypto/tls"
	"net/http"
	"strings"
	"time"
)

// maxStreams is how many requests one HTTP/2 connection may have open. It is also
// what net/http holds against a rapid reset (CVE-2023-44487): a request that was
// reset counts until its handler is done, at most four times as many may wait
// behind it, and a client that goes on is sent away.
const maxStreams = 250

func onlyHTTP1() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	return p
}

func withHTTP2(encrypted bool) *http.Protocols {
	p := onlyHTTP1()
	p.SetHTTP2(encrypted)
	p.SetUnencryptedHTTP2(!encrypted)
	return p
}

// http2Limits are those of all listeners; the rest is net/http's: frames of 1 MiB,
// 1 MiB of unread bodies for each connection.
func http2Limits() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams: maxStreams,
		// The idle timeout does not hold while a stream is open: a peer that
		// vanished under one has to be found in another way.
		SendPingTimeout: 30 * time.Second,
		PingTimeout:     15 * time.Second,
	}
}

// tlsConfig leaves cipher suites, curves and tickets to crypto/tls, which keeps up
// with what is known about them.
func tlsConfig(c *Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"}, // from the first, net/http knows that it will be handed HTTP/2
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.get(), nil },
	}
}

// protocolsOf names what a listener speaks, for the log.
func protocolsOf(l *listener) string {
	names := []string{"http/1.1"}
	switch {
	case l.http.Protocols.UnencryptedHTTP2():
		names = append(names, "h2c")
	case l.http.Protocols.HTTP2():
		names = append(names, "h2")
	}
	if l.cert != nil {
		names = append(names, "tls")
	}
	return strings.Join(names, " ")
}
