package remote

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// unlimited is the max-age of an answer that says nothing about it.
const unlimited = 365 * 24 * time.Hour

// maxAge is how long an answer may still be kept, RFC 9111 section 4.2: its
// max-age less the time that it spent in caches on the way. What forbids to keep
// it, or cannot be read, is 0.
func maxAge(h http.Header) time.Duration {
	said := false
	left := time.Duration(0)
	for _, field := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(field, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-store", "no-cache":
				return 0
			case "max-age":
				if said {
					return 0 // twice: whoever means which
				}
				said, left = true, seconds(strings.Trim(value, `"`))
			}
		}
	}
	if !said {
		return unlimited
	}
	if spent := h.Get("Age"); spent != "" {
		left -= seconds(spent)
	}
	return max(left, 0)
}

// seconds reads delta-seconds of RFC 9111 section 1.2.2; 0 for what is none.
func seconds(text string) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31)
	if err != nil {
		return 0
	}
	return min(time.Duration(n)*time.Second, unlimited)
}
