package store

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/telemetry"
)

// Outcomes of what the audit log tells of.
const (
	// OutcomeBegun is an intent. Its outcome stands in another line of the same id; an
	// intent without one is of an action whose end nobody wrote: it may have happened.
	OutcomeBegun   = "begun"
	OutcomeDone    = "done"
	OutcomeRefused = "refused" // not done: not allowed, or not as asked for
	OutcomeFailed  = "failed"  // by our fault or a store's: it may have happened in part
)

// Line is one line of the audit log. It never holds a token, a password or a secret:
// what looks like one is masked.
type Line struct {
	ID        string    // of the action: an intent and its outcome share it
	At        time.Time // by Redis's clock
	Actor     string    // the admin token's name, or the user's or client's; what was tried, where nobody is known
	ActorID   string    // the admin token's id, or the subject
	Role      string    // of an admin token
	Session   string    // sid, where there is one
	Action    string    // a fixed word such as session.end
	Kind      string    // what Target is
	Target    string
	Remote    string // address of the client
	Via       string // api, console or public
	Outcome   string
	Detail    string // a fixed word that says why, or what about
	RequestID string
	Count     int // the line stands for so many like it; 0: 1
}

// columns are the fields of a line as they are stored, beside its time.
func (l *Line) columns() []struct {
	name string
	at   *string
} {
	return []struct {
		name string
		at   *string
	}{
		{"id", &l.ID}, {"actor", &l.Actor}, {"actor_id", &l.ActorID}, {"role", &l.Role}, {"session", &l.Session}, {"action", &l.Action},
		{"kind", &l.Kind}, {"target", &l.Target}, {"remote", &l.Remote}, {"via", &l.Via}, {"outcome", &l.Outcome}, {"detail", &l.Detail},
		{"request_id", &l.RequestID},
	}
}

// pairs are field and value of what is not empty. An action is never empty.
func (l Line) pairs() []any {
	var out []any
	for _, c := range l.columns() {
		if *c.at != "" {
			out = append(out, c.name, clean(*c.at))
		}
	}
	if l.Count > 1 {
		out = append(out, "count", strconv.Itoa(l.Count))
	}
	return out
}

// ourSecrets are the secrets that we make, which somebody may have pasted where a name
// belongs.
var ourSecrets = regexp.MustCompile(`tg[as]_[A-Za-z0-9_-]{16,}`)

// clean makes a text of a stranger fit to be kept and shown in a terminal.
func clean(text string) string {
	text = ourSecrets.ReplaceAllString(telemetry.Scrub(text), "***")
	if len(text) > maxMember {
		text = strings.ToValidUTF8(text[:maxMember], "") + "…"
	}
	return text
}

// lineOf reads an entry of a stream. What has no id of an action has that of its place.
func lineOf(place string, m redis.XMessage) Line {
	var l Line
	for _, c := range l.columns() {
		*c.at, _ = m.Values[c.name].(string)
	}
	if text, ok := m.Values["count"].(string); ok {
		l.Count, _ = strconv.Atoi(text)
	}
	ms, _ := splitID(m.ID)
	l.At = time.UnixMilli(ms).UTC()
	if l.ID == "" {
		l.ID = place + m.ID
	}
	return l
}

// splitID takes the id of an entry of a stream apart.
func splitID(id string) (ms, seq int64) {
	a, b, _ := strings.Cut(id, "-")
	ms, _ = strconv.ParseInt(a, 10, 64)
	seq, _ = strconv.ParseInt(b, 10, 64)
	return ms, seq
}
