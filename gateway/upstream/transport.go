package upstream

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// newTransport returns the transport to the targets. It never asks a proxy of
// the environment: only what the URLs name is ever dialled. It does not ask for
// compression, so that bodies pass as they are.
func newTransport(c Config, protocols *http.Protocols, t *tls.Config) *http.Transport {
	dialer := &net.Dialer{Timeout: c.ConnectTimeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return newConn(dialled)
		},
		TLSClientConfig:        t,
		TLSHandshakeTimeout:    c.ConnectTimeout,
		Protocols:              protocols,
		DisableCompression:     true,
		MaxIdleConns:           0,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        c.IdleTimeout,
		MaxResponseHeaderBytes: 64 << 10,
		ExpectContinueTimeout:  time.Second,
		// No pings: gRPC servers close connections that ping more than every few
		// minutes, and TCP keep-alive finds dead peers. The buffer is what one slow
		// client can make us hold, by default 4 MiB.
		HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 512 << 10},
	}
}

// protocol says what a connection speaks.
type protocol int

const (
	http1  protocol = iota
	agreed          // what the TLS handshake says
	http2
)

// way is a transport and what its connections speak.
type way struct {
	*http.Transport
	speaks protocol
}

// ways returns the way of requests, and that of upgrades, which HTTP/2 with
// prior knowledge cannot carry. Elsewhere both are the same.
func ways(c Config, scheme string, t *tls.Config) (requests, upgrades way) {
	one, two := new(http.Protocols), new(http.Protocols)
	one.SetHTTP1(true)
	switch {
	case !c.HTTP2:
		requests = way{newTransport(c, one, t), http1}
		return requests, requests
	case scheme == "http":
		two.SetUnencryptedHTTP2(true)
		return way{newTransport(c, two, t.Clone()), http2}, way{newTransport(c, one, t), http1}
	}
	two.SetHTTP1(true)
	two.SetHTTP2(true)
	requests = way{newTransport(c, two, t), agreed}
	return requests, requests
}
