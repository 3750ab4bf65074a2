package issuer

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/store"
	"tollgate/revocation"
)

// ownSession is one log-in as its user sees it. Times are RFC 3339, whole seconds.
type ownSession struct {
	SID         string     `json:"sid"`
	Current     bool       `json:"current"`
	CreatedAt   time.Time  `json:"created_at"`
	LastRefresh *time.Time `json:"last_refresh"`
	ExpiresAt   time.Time  `json:"expires_at"`
	Address     string     `json:"address"`
	Agent       string     `json:"agent"`
}

// ownSessions lists the caller's live sessions, the newest first, or ends all but the
// one that he calls with.
func (i *Issuer) ownSessions(c *call) error {
	if err := personal(c.caller); err != nil {
		return err
	}
	all, err := i.Sessions.List(c.r.Context(), c.caller.Subject)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	if c.r.Method == http.MethodDelete {
		return i.endOthers(c, all)
	}
	out := []ownSession{}
	for _, s := range all {
		if live(s) {
			out = append(out, i.show(c, s))
		}
	}
	c.record.Decision = telemetry.Allow
	return c.reply(http.StatusOK, out)
}

// endOthers ends one session after the other, so that the caller's own goes on. One
// that begins meanwhile is not touched; what failed can be asked for again.
func (i *Issuer) endOthers(c *call, all []session.Session) error {
	for _, s := range all {
		if s.SID == c.caller.SID || !live(s) {
			continue
		}
		if err := i.endOwn(c, s.SID); err != nil {
			return err
		}
	}
	return i.nothing(c)
}

// oneSession shows or ends one session of the caller's. Somebody else's is not there.
func (i *Issuer) oneSession(c *call) error {
	if err := personal(c.caller); err != nil {
		return err
	}
	sid := strings.TrimSuffix(strings.TrimPrefix(c.r.URL.Path, i.Prefix+sessionsPath+"/"), "/")
	s, err := i.Sessions.Get(c.r.Context(), sid)
	if errors.Is(err, session.ErrNotFound) || err == nil && (s.Subject != c.caller.Subject || !live(s)) {
		return &fault{status: http.StatusNotFound, detail: "no such session", body: map[string]string{"detail": "Not found."}}
	}
	if err != nil {
		return fmt.Errorf("read session: %w", err)
	}
	if c.r.Method != http.MethodDelete {
		c.record.Decision = telemetry.Allow
		return c.reply(http.StatusOK, i.show(c, s))
	}
	if err := i.endOwn(c, sid); err != nil {
		return err
	}
	if sid == c.caller.SID {
		i.Cookies.clear(c.w.Header())
	}
	return i.nothing(c)
}

func (i *Issuer) endOwn(c *call, sid string) error {
	if err := i.Sessions.End(c.r.Context(), sid, telemetry.SourceLogout, actor(c.caller)); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	i.Metrics.Revoked(string(revocation.KindSession), telemetry.SourceLogout)
	i.note(c, by(store.Line{Action: "session.end", Kind: "session", Target: sid, Detail: telemetry.SourceLogout}, c.caller))
	return nil
}

// live reports whether the session is there for its user. What cannot be told is: its
// user may want to end it.
func live(s session.Session) bool {
	return s.State == session.StateLive || s.State == session.StateUnknown
}

func (i *Issuer) show(c *call, s session.Session) ownSession {
	out := ownSession{
		SID: s.SID, Current: s.SID == c.caller.SID, CreatedAt: s.Created, ExpiresAt: s.ExpiresAt, Address: s.Address, Agent: s.Agent,
	}
	if !s.LastRefresh.IsZero() {
		out.LastRefresh = &s.LastRefresh
	}
	return out
}
