package keys

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Handler serves what current returns as /.well-known/jwks.json, to anyone and
// to scripts of any origin: public keys are no secret. When current returns nil
// there is nothing that may be served now, and the answer is 503. current is
// called once for each request and must be safe for concurrent use.
func Handler(current func() *Published) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		// For everybody, and so without credentials: the two exclude each other.
		h.Del("Access-Control-Allow-Credentials")
		h.Set("X-Content-Type-Options", "nosniff")
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			serve(w, r, current())
		case http.MethodOptions:
			preflight(h)
			w.WriteHeader(http.StatusNoContent)
		default:
			h.Set("Allow", methods)
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	})
}

const methods = "GET, HEAD, OPTIONS"

// preflight answers the CORS protocol of the Fetch standard, section 3.2.
func preflight(h http.Header) {
	h.Set("Allow", methods)
	h.Set("Access-Control-Allow-Methods", methods)
	h.Set("Access-Control-Allow-Headers", "*")
	h.Set("Access-Control-Max-Age", "86400")
}

func serve(w http.ResponseWriter, r *http.Request, p *Published) {
	h := w.Header()
	if p == nil {
		h.Set("Retry-After", "1")
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	h.Set("ETag", p.ETag)
	h.Set("Cache-Control", "public, max-age="+strconv.FormatInt(int64(p.MaxAge/time.Second), 10))
	h.Set("Access-Control-Expose-Headers", "ETag")
	if matches(r.Header.Values("If-None-Match"), p.ETag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(p.JWKS)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(p.JWKS) // a client that went away is nobody's error
}

// matches compares weakly, as RFC 9110 section 13.1.2 wants for If-None-Match.
// Our tags have no comma, so cutting at commas is exact for them.
func matches(fields []string, tag string) bool {
	for _, f := range fields {
		for candidate := range strings.SplitSeq(f, ",") {
			c := strings.TrimSpace(candidate)
			if c == "*" || strings.TrimPrefix(c, "W/") == tag {
				return true
			}
		}
	}
	return false
}
