package gateway

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"tollgate/internal/problem"
	"tollgate/internal/ratelimit"
	"tollgate/keys/token"
)

// Limits of one route. The zero value sets none.
type Limits struct {
	// Body in bytes; 0: none. Over it the answer is 413.
	Body int64
	// Rate of requests; the zero value: none. Over it the answer is 429.
	Rate ratelimit.Rate
	// PerSubject counts by the caller's subject, by address where there is none;
	// otherwise by address alone. An IPv6 address stands for its /64.
	PerSubject bool
}

// maxQueryParameters is far more than a form has: beyond it a parser somewhere
// stops counting, and another does not (net/http's own limit is 10,000).
const maxQueryParameters = 1000

// within checks what can be told from a request's head, and bounds its body.
func (l *Limits) within(w http.ResponseWriter, r *http.Request) (status int, detail string) {
	if strings.Count(r.URL.RawQuery, "&") >= maxQueryParameters {
		return http.StatusBadRequest, "The query has too many parameters."
	}
	if l.Body > 0 {
		if r.ContentLength > l.Body {
			return http.StatusRequestEntityTooLarge, tooLarge
		}
		r.Body = http.MaxBytesReader(w, r.Body, l.Body)
	}
	return 0, ""
}

const tooLarge = "The request body is too large."

// throttle counts the request against the route's rate.
func (g *Gateway) throttle(r *http.Request, route *Route, id *token.Identity) *problem.Refusal {
	if route.Limits.Rate.Limit == 0 || g.limiter == nil {
		return nil
	}
	who := "address:" + countedAs(g.trusted.Client(r))
	if route.Limits.PerSubject && id != nil {
		who = "subject:" + id.Issuer + "\x00" + id.Subject
	}
	decision := g.limiter.Allow(r.Context(), route.Name+"\x00"+who, route.Limits.Rate)
	if decision.Allowed {
		return nil
	}
	return problem.Throttled(int((decision.RetryAfter + time.Second - 1) / time.Second))
}

// countedAs is what an address is counted under. The holder of one IPv6 network of
// 64 bits has all of its addresses (RFC 4291 section 2.5.1) and could take a new one
// for each request; on one link everybody has the same 64. IPv4 within IPv6 is IPv4.
func countedAs(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap(); ip.Is4() || ip.IsLinkLocalUnicast() {
		return ip.String()
	}
	return netip.PrefixFrom(ip.WithZone(""), 64).Masked().String()
}
