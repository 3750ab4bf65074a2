package main

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// Address is where a listener listens: host:port, the host may be missing. Empty
// is a listener that is off.
type Address struct{ value[string] }

// Decode implements setting.
func (a *Address) Decode(text string) error {
	text = strings.TrimSpace(text)
	if text == "" {
		return a.put("", "")
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || strings.ContainsAny(host, "/@ ") {
		return a.put("", shown(text)+" is not an address such as :8080 or 127.0.0.1:8080")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return a.put("", shown(text)+" has no port between 0 and 65535")
	}
	return a.put(text, "")
}

// loopback reports whether only this machine can reach the address.
func (a *Address) loopback() bool {
	host, _, _ := net.SplitHostPort(a.Value) // checked by Decode
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// URL is an absolute http or https URL; nil when the variable is empty. Its faults
// do not show it: somebody may have put a password into it.
type URL struct{ value[*url.URL] }

// Decode implements setting.
func (u *URL) Decode(text string) error {
	text = strings.TrimSpace(text)
	if text == "" {
		return u.put(nil, "")
	}
	parsed, err := url.Parse(text)
	switch {
	case err != nil:
		return u.put(nil, "is not a URL")
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return u.put(nil, "does not begin with http:// or https://")
	case parsed.Hostname() == "":
		return u.put(nil, "has no host")
	case parsed.User != nil:
		return u.put(nil, "has a user name or password in it")
	case parsed.RawQuery != "" || parsed.ForceQuery || parsed.Fragment != "":
		return u.put(nil, "has a query or fragment")
	}
	return u.put(parsed, "")
}

// Networks is a list of networks in CIDR form; a bare address is a network of one.
type Networks struct{ value[[]netip.Prefix] }

// Decode implements setting.
func (n *Networks) Decode(text string) error {
	var out []netip.Prefix
	_, problem := checkedList(text, func(member string) string {
		network, err := netip.ParsePrefix(member)
		if err != nil {
			ip, err := netip.ParseAddr(member)
			if err != nil || ip.Zone() != "" {
				return "is not a network such as 10.0.0.0/8, nor an address"
			}
			network = netip.PrefixFrom(ip, ip.BitLen())
		}
		out = append(out, network.Masked())
		return ""
	})
	return n.put(out, problem)
}

// File is the path of a file that can be read; empty for none.
type File struct{ value[string] }

// Decode implements setting.
func (f *File) Decode(text string) error {
	if text == "" {
		return f.put("", "")
	}
	file, err := os.Open(text)
	if err != nil {
		return f.put(text, err.Error())
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err != nil || info.IsDir() {
		return f.put(text, shown(text)+" is not a file")
	}
	return f.put(text, "")
}

// FilePath names a file that may be yet to be made, in a directory that is there.
type FilePath struct{ value[string] }

// Decode implements setting.
func (f *FilePath) Decode(text string) error {
	if text == "" {
		return f.put("", "")
	}
	if hasControl(text) {
		return f.put("", "has a control character in it")
	}
	if info, err := os.Stat(text); err == nil && !info.Mode().IsRegular() {
		return f.put(text, shown(text)+" is not a file")
	}
	if info, err := os.Stat(filepath.Dir(text)); err != nil || !info.IsDir() {
		return f.put(text, shown(text)+" is in a directory that is not there")
	}
	return f.put(text, "")
}

// PathPrefix is the beginning of URL paths: it begins with a slash and does not
// end with one.
type PathPrefix struct{ value[string] }

// Decode implements setting.
func (p *PathPrefix) Decode(text string) error {
	text = strings.TrimSpace(text)
	odd := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("/-._~", r))
	}
	switch {
	case !strings.HasPrefix(text, "/"):
		return p.put("", "does not begin with /")
	case strings.HasSuffix(text, "/"):
		return p.put("", "ends with /")
	case strings.ContainsFunc(text, odd):
		return p.put("", shown(text)+" has other characters than letters, digits and - . _ ~ /")
	case path.Clean(text) != text:
		return p.put("", shown(text)+" has an empty or dot segment")
	}
	return p.put(text, "")
}

// KeyPrefix is what Redis keys begin with. Braces would move all keys into one
// slot of a Cluster, or apart.
type KeyPrefix struct{ value[string] }

// Decode implements setting.
func (k *KeyPrefix) Decode(text string) error {
	switch {
	case strings.ContainsAny(text, "{}"):
		return k.put("", "has { or } in it")
	case hasBlankOrControl(text):
		return k.put("", "has a blank or a control character in it")
	case len(text) > 64:
		return k.put("", "is longer than 64 bytes")
	}
	return k.put(text, "")
}
