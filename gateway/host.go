package gateway

import (
	"errors"
	"net/netip"
	"strings"
)

var errHost = errors.New("the host is neither a name nor an address, with or without a port")

// validHost reports whether a Host is what policies can be chosen by and what a
// back end may be told: name or address, and a port. net/http lets every character
// of RFC 3986 pass, so that "a.example:x@b.example" would be one host here and
// another elsewhere. An empty one is HTTP/1.0's, and no policy's.
func validHost(host string) bool {
	name, port, bracketed := host, "", strings.HasPrefix(host, "[")
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		name, port = host[:i], host[i+1:]
	}
	for i := range len(port) {
		if port[i] < '0' || port[i] > '9' || i == 5 {
			return false
		}
	}
	if bracketed {
		address, closed := strings.CutSuffix(name[1:], "]")
		ip, err := netip.ParseAddr(address)
		return closed && err == nil && ip.Is6() && ip.Zone() == ""
	}
	return host == "" || validName(name)
}

// validName reports whether a name is made of labels, the last with or without its
// dot.
func validName(name string) bool {
	label := 0
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
			label++
		case c == '.' && label > 0:
			label = 0
		default:
			return false
		}
	}
	return name != ""
}

// canonicalHost is the host in lower case without port and final dot.
func canonicalHost(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}
