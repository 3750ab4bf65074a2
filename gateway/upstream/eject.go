package upstream

import "time"

// longestEjection bounds the doubling.
const longestEjection = time.Minute

// failed counts a failure. One that falls into an ejection changes nothing
// further: requests that were under way together fail together.
func (u *Upstream) failed(t *target, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lastError = err.Error()
	n, now := t.failures.Add(1), u.clock()
	if u.config.EjectAfter < 0 || n < int64(u.config.EjectAfter) || t.out.Load() > int64(now) {
		return
	}
	span := u.config.EjectFor
	for i := 0; i < t.ejections && span < longestEjection; i++ {
		span *= 2
	}
	span = min(span, max(longestEjection, u.config.EjectFor))
	t.ejections++
	t.out.Store(int64(now + span))
	u.config.Log.Warn("upstream target is out", "upstream", u.config.Name, "target", t.url.String(),
		"failures", n, "for", span, "error", err)
}

// succeeded forgets failures: who answers is there, ejected or not.
func (u *Upstream) succeeded(t *target) {
	if t.failures.Load() == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ejections > 0 {
		u.config.Log.Info("upstream target is back", "upstream", u.config.Name, "target", t.url.String())
	}
	t.failures.Store(0)
	t.out.Store(0)
	t.ejections, t.lastError = 0, ""
}
