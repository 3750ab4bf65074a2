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
	return t.contains(addr.Addr().Unmap())
}

func (t TrustedProxies) contains(ip netip.Addr) bool {
	for _, network := range t {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

// secure reports whether the client is known to speak TLS: to us, or, by a trusted
// proxy's word, to the proxy. Traefik says wss of a WebSocket.
func (t TrustedProxies) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-Proto"], ","), ",")
	proto := strings.ToLower(strings.TrimSpace(hops[0]))
	return (proto == "https" || proto == "wss") && t.Trusts(r.RemoteAddr)
}

// Client is the address of the client itself: the peer's, or, where the peer is a
// trusted proxy, the last address in X-Forwarded-For that is none.
func (t TrustedProxies) Client(r *http.Request) string {
	if !t.Trusts(r.RemoteAddr) {
		return hostOf(r.RemoteAddr)
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		addr, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break // what stands left of a faulty hop is nobody's word
		}
		if !t.contains(addr.Unmap()) {
			return addr.Unmap().String()
		}
	}
	return hostOf(r.RemoteAddr)
}

func hostOf(remoteAddr string) string {
	if host, _, err := net.SplitHostPort(remoteAddr); err == nil {
		return host
	}
	return remoteAddr
}

// isForwarding reports whether a header (canonical name) tells a back end where
// a request came from or what it was before.
func isForwarding(name string) bool {
	if name == "" || name[0] != 'X' && name[0] != 'F' && name[0] != '-' {
		return false // as nearly all
	}
	switch name = strings.Trim(name, "-"); name {
	case "Forwarded", "X-Real-Ip", "X-Rewrite-Url", "X-Forwarded", "X-Original":
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "X-Original-")
}

// forwardings is how many headers tell about the client.
const forwardings = 4

// forwarding is their values, in the order of forwardingNames.
type forwarding [forwardings]string

// forwardingNames are canonical.
func forwardingNames() [forwardings]string {
	return [forwardings]string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip"}
}

// forward works out the headers about the client, and takes what came in out of the
// header that goes on: from a trusted proxy these four, which are written anew, from
// anybody else all, since they would be assertions about oneself. Out may be in's own
// header.
func (t TrustedProxies) forward(in *http.Request, out http.Header) forwarding {
	trusted := t.Trusts(in.RemoteAddr)
	client := hostOf(in.RemoteAddr)
	proto := "http"
	if in.TLS != nil {
		proto = "https"
	}
	host, via, first := in.Host, client, client
	if trusted {
		if prior := in.Header.Values("X-Forwarded-For"); len(prior) > 0 {
			via = strings.Join(prior, ", ") + ", " + client
		}
		proto = firstOr(in.Header, "X-Forwarded-Proto", proto)
		host = firstOr(in.Header, "X-Forwarded-Host", host)
		// Where the proxy tells the way alone, the client is who stands at its end.
		first = firstOr(in.Header, "X-Real-Ip", t.Client(in))
		for name, values := range in.Header {
			if isForwarding(name) && plainName(name) {
				out[name] = values
			}
		}
		for _, name := range forwardingNames() {
			delete(out, name)
		}
	} else {
		for name := range out {
			if isForwarding(name) {
				delete(out, name)
			}
		}
	}
	return forwarding{via, proto, host, first}
}

func firstOr(h http.Header, name, otherwise string) string {
	if v := h.Get(name); v != "" {
		return v
	}
	return otherwise
}
