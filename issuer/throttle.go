package issuer

import (
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tollgate/internal/telemetry"
	"tollgate/keys/token"
)

// throttle counts one attempt at a password, by the client's address and by the name
// that is tried, and refuses what is over LoginRate. Nothing takes a count back: else
// whoever has one account could guess at others for ever, logging in between.
//
// The address comes first: one that is refused must not use up the name's attempts.
func (i *Issuer) throttle(c *call, name string) error {
	if i.Limiter == nil || i.LoginRate.Limit == 0 {
		return nil
	}
	for _, key := range [...]string{"login address\x00" + Network(address(c)), "login name\x00" + strings.ToLower(name)} {
		if d := i.Limiter.Allow(c.r.Context(), key, i.LoginRate); !d.Allowed {
			i.Metrics.Login(telemetry.LoginRate)
			return throttled(c, d.RetryAfter)
		}
	}
	return nil
}

// throttled is the answer of Django REST framework to what comes too often.
func throttled(c *call, wait time.Duration) *fault {
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	c.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	unit := "seconds"
	if seconds == 1 {
		unit = "second"
	}
	return &fault{status: http.StatusTooManyRequests, reason: token.ReasonRate, detail: "over the rate of log-ins",
		body: map[string]string{"detail": fmt.Sprintf("Request was throttled. Expected available in %d %s.", seconds, unit)}}
}

// address is the client's, as the listener found it out.
func address(c *call) string {
	if c.record.Remote != "" {
		return c.record.Remote
	}
	return peer(c.r)
}

// Network is what is counted as one address: of IPv6 the 64 bits that one customer
// has at least. What is no address is returned as it is.
func Network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Is4() || ip.Is4In6() {
		return address
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}
