package upstream

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// The ways to choose among targets.
const (
	RoundRobin = "round_robin" // each in its turn
	LeastConn  = "least_conn"  // the one with the fewest requests in flight
)

// Config says where an upstream is and how it is spoken to. With a name and
// URLs, the zero value of everything else is good.
type Config struct {
	// Name is what messages call it.
	Name string
	// URLs are the base URLs of the targets: http or https, a host and a path only.
	// The path is put before that of each request.
	URLs []string
	// Balance is RoundRobin or LeastConn. Empty: RoundRobin.
	Balance string
	// Health says how targets are checked. Without a path they are not.
	Health HealthConfig
	// EjectAfter is the number of failures in a row after which a target is out.
	// Zero: 5. Negative: never.
	EjectAfter int
	// EjectFor is how long it is out; each time again twice as long, up to a
	// minute, until it answers. Zero: 10 s.
	EjectFor time.Duration
	// ConnectTimeout bounds the dial, and the TLS handshake once more. Zero: 5 s.
	ConnectTimeout time.Duration
	// IdleTimeout is how long an unused connection is kept. Zero: 60 s.
	IdleTimeout time.Duration
	// MaxInFlight bounds the requests under way, all targets together; a request
	// is under way until the body of its answer is closed. Zero: no bound.
	MaxInFlight int
	// HTTP2 speaks HTTP/2: to https URLs if they agree to it (ALPN), to http URLs
	// with prior knowledge. Upgrades travel by HTTP/1.1 still. The URLs are then
	// all http or all https.
	HTTP2 bool
	// CAFile holds the PEM certificates that alone vouch for the targets. Empty:
	// the system's do.
	CAFile string
	// CertFile and KeyFile are the certificate that is shown to the targets, PEM.
	CertFile, KeyFile string
	// ServerName is asked for and verified instead of the URL's host.
	ServerName string
	// Log gets a line for each target that goes out or comes back. Nil: nothing is
	// logged.
	Log *slog.Logger
	// Now is the clock of ejections. Nil: time.Now.
	Now func() time.Time
}

// HealthConfig says how targets are checked: GET, by the connections that serve
// requests too. Each status from 200 to 399 is healthy; redirects are not
// followed.
type HealthConfig struct {
	// Path begins with a slash and may have a query. It stands for itself: the
	// path of the base URL is not put before it. Empty: no checks.
	Path string
	// Host is the Host header of checks. Empty: the target's.
	Host string
	// Every is the time between checks, give or take a tenth. Zero: 5 s.
	Every time.Duration
	// Timeout bounds one check. Zero: 2 s.
	Timeout time.Duration
	// Healthy is how many checks in a row bring a target back. Zero: 1.
	Healthy int
	// Unhealthy is how many failed checks in a row take it out. Zero: 2.
	Unhealthy int
}

// filled returns the configuration with its defaults in place.
func (c Config) filled() Config {
	for d, otherwise := range map[*time.Duration]time.Duration{
		&c.EjectFor: 10 * time.Second, &c.ConnectTimeout: 5 * time.Second, &c.IdleTimeout: 60 * time.Second,
		&c.Health.Every: 5 * time.Second, &c.Health.Timeout: 2 * time.Second,
	} {
		if *d == 0 {
			*d = otherwise
		}
	}
	for n, otherwise := range map[*int]int{&c.EjectAfter: 5, &c.Health.Healthy: 1, &c.Health.Unhealthy: 2} {
		if *n == 0 {
			*n = otherwise
		}
	}
	if c.Balance == "" {
		c.Balance = RoundRobin
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// bases parses the base URLs and names each that cannot be one.
func (c Config) bases() ([]*url.URL, error) {
	var list []*url.URL
	var faults []error
	if len(c.URLs) == 0 {
		faults = append(faults, fmt.Errorf("upstream %q has no urls", c.Name))
	}
	for _, raw := range c.URLs {
		parsed, err := url.Parse(raw)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("upstream %q: one of its urls is not a URL", c.Name))
		case parsed.Scheme != "http" && parsed.Scheme != "https":
			faults = append(faults, fmt.Errorf("upstream %q: %q is neither http nor https", c.Name, parsed.Redacted()))
		case parsed.Host == "":
			faults = append(faults, fmt.Errorf("upstream %q: %q names no host", c.Name, parsed.Redacted()))
		case parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "":
			faults = append(faults, fmt.Errorf("upstream %q: %q may hold a scheme, a host and a path only", c.Name, parsed.Redacted()))
		default:
			list = append(list, parsed)
		}
	}
	return list, errors.Join(faults...)
}

// placeOf writes a base URL in the one way in which the same place is always
// written: RFC 3986 section 6.2.2.1 and 6.2.3, and without a slash at its end.
func placeOf(base *url.URL) string {
	host := strings.ToLower(base.Hostname())
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.String()
	}
	port := base.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[base.Scheme]
	}
	return base.Scheme + "://" + net.JoinHostPort(host, port) + strings.TrimSuffix(base.EscapedPath(), "/")
}

// check names everything else that is wrong with a filled configuration, but for
// the files.
func (c Config) check(bases []*url.URL) error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("upstream %q: "+format, append([]any{c.Name}, args...)...))
	}
	if c.Balance != RoundRobin && c.Balance != LeastConn {
		fault("balance is %s or %s, not %q", RoundRobin, LeastConn, c.Balance)
	}
	if c.EjectFor < 0 || c.ConnectTimeout < 0 || c.IdleTimeout < 0 || c.Health.Every < 0 || c.Health.Timeout < 0 {
		fault("a time is negative")
	}
	if c.MaxInFlight < 0 || c.Health.Healthy < 0 || c.Health.Unhealthy < 0 {
		fault("a number is negative")
	}
	if p := c.Health.Path; p != "" {
		if _, err := url.ParseRequestURI(p); err != nil || !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.Contains(p, "#") {
			fault("health.path is a path that begins with '/', not %q", p)
		}
	}
	written := map[string]string{}
	for _, b := range bases {
		place := placeOf(b)
		if before, twice := written[place]; twice {
			// Counted as two it would have two shares of the requests, and there would
			// be two metrics of the same name.
			fault("its urls name %s twice (%q and %q)", place, before, b)
		}
		written[place] = b.String()
	}
	plain, secure := 0, 0
	for _, b := range bases {
		if b.Scheme == "https" {
			secure++
		} else {
			plain++
		}
	}
	if c.HTTP2 && plain > 0 && secure > 0 {
		fault("with http2 its urls are all http or all https")
	}
	if secure == 0 && plain > 0 && (c.CAFile != "" || c.CertFile != "" || c.KeyFile != "" || c.ServerName != "") {
		fault("it has TLS settings and no https url")
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		fault("a client certificate needs both its certificate file and its key file")
	}
	return errors.Join(faults...)
}
