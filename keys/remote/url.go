package remote

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// parseURL reads the address of a key set. Its errors do not repeat the address:
// an address may carry a password.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("does not begin with https:// or http://")
	case u.Hostname() == "":
		return nil, errors.New("has no host")
	case u.User != nil:
		return nil, errors.New("has a user name or a password")
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		return nil, errors.New("has a fragment")
	}
	return u, nil
}

// show returns an address for logs and status: without its query, which may have
// a key in it.
func show(u *url.URL) string {
	shown := *u
	shown.User, shown.RawQuery, shown.ForceQuery = nil, "", false
	return shown.String()
}

// loopback reports whether the address stays on this machine.
func loopback(u *url.URL) bool {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761 section 6.3
		return true
	}
	return net.ParseIP(host).IsLoopback()
}

// origin returns scheme, host and port in one form for each server.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
