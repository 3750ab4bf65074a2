package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

// Upstream is a back end: one or more base URLs that are used in turn.
type Upstream struct {
	Name string
	urls []*url.URL
	next atomic.Uint32
}

// NewUpstream returns the upstream of the given base URLs (http or https, a host,
// no query, no user information).
func NewUpstream(name string, urls []string) (*Upstream, error) {
	u := &Upstream{Name: name}
	var faults []error
	if len(urls) == 0 {
		faults = append(faults, fmt.Errorf("upstream %q has no urls", name))
	}
	for _, raw := range urls {
		parsed, err := url.Parse(raw)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("upstream %q: one of its urls is not a URL", name))
		case parsed.Scheme != "http" && parsed.Scheme != "https":
			faults = append(faults, fmt.Errorf("upstream %q: %q is neither http nor https", name, parsed.Redacted()))
		case parsed.Host == "":
			faults = append(faults, fmt.Errorf("upstream %q: %q names no host", name, parsed.Redacted()))
		case parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "":
			faults = append(faults, fmt.Errorf("upstream %q: %q may hold a scheme, a host and a path only", name, parsed.Redacted()))
		default:
			u.urls = append(u.urls, parsed)
		}
	}
	return u, errors.Join(faults...)
}

// URLs lists the base URLs.
func (u *Upstream) URLs() []string {
	out := make([]string, len(u.urls))
	for i, one := range u.urls {
		out[i] = one.String()
	}
	return out
}

// pick returns the URLs in turn.
func (u *Upstream) pick() *url.URL {
	if len(u.urls) == 1 {
		return u.urls[0]
	}
	return u.urls[int(u.next.Add(1)-1)%len(u.urls)]
}

// newTransport returns the transport to the back ends. It never asks a proxy of
// the environment: only what the routes name is ever dialled. It does not ask
// for compression, so that bodies pass as they are.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		DisableCompression:     true,
		MaxIdleConns:           0,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		ExpectContinueTimeout:  time.Second,
	}
}
