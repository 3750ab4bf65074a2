package ratelimit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rate is how often something may happen. The zero Rate is no limit.
type Rate struct {
	Limit int           // calls in each Per, evenly; less than 1 counts as 1
	Per   time.Duration // 0 means a second; at most a year
	Burst int           // calls at once after a pause; 0 means Limit
}

// ErrRate says that a text is not a rate.
var ErrRate = errors.New("not a rate such as 50/s, 10/m or 1000/h")

// maxPerSecond is the highest rate: its calls are a microsecond apart, and times
// are whole microseconds.
const maxPerSecond = 1_000_000

// ParseRate reads "50/s", "10/m" or "1000/h": a whole number from 1 and second,
// minute or hour. Burst is the number. ErrRate.
func ParseRate(s string) (Rate, error) {
	number, unit, _ := strings.Cut(s, "/")
	per, ok := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	if !ok {
		return Rate{}, ErrRate
	}
	limit, err := strconv.ParseUint(number, 10, 31) // no sign, unlike Atoi
	if err != nil || limit == 0 {
		return Rate{}, ErrRate
	}
	if r := (Rate{Limit: int(limit), Per: per, Burst: int(limit)}); limit <= uint64(per/time.Second*maxPerSecond) {
		return r, nil
	}
	return Rate{}, fmt.Errorf("%w: more than %d a second", ErrRate, maxPerSecond)
}

// String returns what ParseRate reads, or the period in full where it has no
// letter. A burst of its own is not shown. No limit is "".
func (r Rate) String() string {
	per := r.Per.String()
	switch r.Per {
	case 0:
		return ""
	case time.Second:
		per = "s"
	case time.Minute:
		per = "m"
	case time.Hour:
		per = "h"
	}
	return strconv.Itoa(r.Limit) + "/" + per
}

const (
	maxPer  = 365 * 24 * time.Hour
	maxSpan = 1 << 50 // µs, 35 years: Lua's numbers are exact up to 2^53
)

// gcra returns the rate as it is counted. What cannot be meant is drawn to the
// nearest that can: a limiter has no errors.
func (r Rate) gcra() gcra {
	limit, per := int64(max(r.Limit, 1)), min(r.Per, maxPer)
	if per <= 0 {
		per = time.Second
	}
	g := gcra{interval: max(per.Microseconds()/limit, 1), burst: int64(r.Burst)}
	if r.Burst <= 0 {
		g.burst = limit
	}
	g.burst = min(g.burst, maxSpan/g.interval)
	return g
}
