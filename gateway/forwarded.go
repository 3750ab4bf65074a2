package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// TrustedProxies are the networks whose X-Forwarded-* headers are believed.
type TrustedProxies []netip.Prefix

// Trusts reports whether the peer with this remote address (host:port) is one.
func (t TrustedProxies) Trusts(remoteAddr string) bool {
	if len(t) == 0 {
		return false
	}
	addr, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return false
	}
	ip := addr.Addr().Unmap()
	for _, network := range t {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

// isForwarding reports whether a header (canonical name) tells a back end where
// a request came from or what it was before.
func isForwarding(name string) bool {
	return strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "X-Original-") ||
		name == "Forwarded" || name == "X-Real-Ip" || name == "X-Rewrite-Url"
}

// forward writes the headers about the client anew. What came in is kept only
// from a trusted proxy; from anybody else it would be an assertion about oneself.
func (t TrustedProxies) forward(in *http.Request, out http.Header) {
	trusted := t.Trusts(in.RemoteAddr)
	for name := range out {
		if isForwarding(name) {
			delete(out, name)
		}
	}
	client := in.RemoteAddr
	if host, _, err := net.SplitHostPort(client); err == nil {
		client = host
	}
	proto := "http"
	if in.TLS != nil {
		proto = "https"
	}
	host, via, first := in.Host, client, client
	if trusted {
		for name, values := range in.Header {
			if isForwarding(name) {
				out[name] = values
			}
		}
		if prior := in.Header.Values("X-Forwarded-For"); len(prior) > 0 {
			via = strings.Join(prior, ", ") + ", " + client
		}
		proto = firstOr(in.Header, "X-Forwarded-Proto", proto)
		host = firstOr(in.Header, "X-Forwarded-Host", host)
		first = firstOr(in.Header, "X-Real-Ip", first)
	}
	out["X-Forwarded-For"] = []string{via}
	out["X-Forwarded-Proto"] = []string{proto}
	out["X-Forwarded-Host"] = []string{host}
	out["X-Real-Ip"] = []string{first}
}

func firstOr(h http.Header, name, otherwise string) string {
	if v := h.Get(name); v != "" {
		return v
	}
	return otherwise
}
