package upstream

import (
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tollgate/gateway/upstream/wire"
)

// target is one back end, and what is known of it. Requests read the atomics;
// they change under the lock only, but for inflight.
type target struct {
	url  *url.URL
	path string // of the base URL, without a slash at its end
	raw  string // the same, escaped

	direct *wire.Pool // for what goes the short way; nil: nothing does

	inflight atomic.Int64
	sick     atomic.Bool  // by active checks
	failures atomic.Int64 // in a row
	out      atomic.Int64 // ejected until: nanoseconds of the upstream's clock; 0 not

	mu        sync.Mutex
	ejections int // in a row
	streak    int // checks in a row that say the opposite of sick
	lastError string
	lastCheck time.Time
}

func newTarget(base *url.URL) *target {
	t := &target{url: base, raw: strings.TrimSuffix(base.EscapedPath(), "/")}
	t.path, _ = url.PathUnescape(t.raw) // it was parsed from the same text
	return t
}

// join returns where a request for u goes: to this target, below its base path,
// and to nowhere else whatever u holds beside path and query. The escapes of both
// parts stay as they are.
func (t *target) join(u *url.URL) *url.URL {
	out := &url.URL{
		Scheme: t.url.Scheme, Host: t.url.Host,
		Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery, ForceQuery: u.ForceQuery,
	}
	if t.raw == "" {
		return out
	}
	escaped, slash := u.EscapedPath(), ""
	if u.Path != "" && u.Path[0] != '/' {
		slash = "/"
	}
	out.Path, out.RawPath = t.path+slash+u.Path, t.raw+slash+escaped
	return out
}

// in reports whether the target is to be used.
func (t *target) in(now time.Duration) bool {
	return !t.sick.Load() && t.out.Load() <= int64(now)
}

// TargetStatus is what is known of a target.
type TargetStatus struct {
	URL       string
	Healthy   bool      // by active checks; true without them
	Ejected   time.Time // out until then after failures; zero: not ejected
	InFlight  int       // requests under way
	Failures  int       // in a row
	LastError string    // of a check or a request since the target last did well
	LastCheck time.Time // when the last check ended; zero: there was none
}

func (t *target) status(u *Upstream) TargetStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := TargetStatus{
		URL: t.url.String(), Healthy: !t.sick.Load(), InFlight: int(t.inflight.Load()),
		Failures: int(t.failures.Load()), LastError: t.lastError, LastCheck: t.lastCheck,
	}
	if until := time.Duration(t.out.Load()); until > u.clock() {
		s.Ejected = u.start.Add(until)
	}
	return s
}
