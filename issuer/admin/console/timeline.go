package console

import "time"

// ring is the key ring as the API shows it. The members that begin with planned are
// there only while nobody has turned the ring by hand.
type ring struct {
	Version    uint64   `json:"version"`
	Items      []key    `json:"items"`
	WaitingFor []string `json:"waiting_for"`

	SessionsEnded *int   `json:"sessions_ended"`
	Note          string `json:"note"`
	Cost          *struct {
		RefusedUntil *time.Time `json:"refused_until"`
		Edges        []string   `json:"edges_without_the_key"`
	} `json:"cost"`
}

type key struct {
	ID             string     `json:"kid"`
	Algorithm      string     `json:"algorithm"`
	State          string     `json:"state"`
	CreatedAt      time.Time  `json:"created_at"`
	SignsFrom      *time.Time `json:"signs_from"`
	SignsUntil     *time.Time `json:"signs_until"`
	RevokedAt      *time.Time `json:"revoked_at"`
	PublishedUntil *time.Time `json:"published_until"`
	PlannedFrom    *time.Time `json:"planned_signs_from"`
	PlannedUntil   *time.Time `json:"planned_signs_until"`
	PlannedGone    *time.Time `json:"planned_published_until"`
	TokensUntil    *time.Time `json:"tokens_until"`
}

// lineWidth is that of a time line in the units of its view box.
const lineWidth = 720.0

// timeline is the life of the keys, ready to be drawn.
type timeline struct {
	Width    float64
	Now      float64 // where now is
	From, To time.Time
	Rows     []lane
	Planned  bool // something in it is yet to come
}

// lane is one key: what it is published for, and what it signs for.
type lane struct {
	Key   key
	Words string  // the same for who does not see it
	X, W  float64 // published
	SignX float64
	SignW float64 // 0: never signed
	DeadX float64 // revoked there; 0: not
}

// timelineOf draws keys over the time that they span, now in it.
func timelineOf(keys []key, now time.Time) *timeline {
	from, to := now, now.Add(time.Hour)
	for _, k := range keys {
		if k.CreatedAt.Before(from) {
			from = k.CreatedAt
		}
		for _, t := range []*time.Time{k.PublishedUntil, k.PlannedFrom, k.PlannedUntil, k.PlannedGone} {
			if t != nil && t.After(to) {
				to = *t
			}
		}
	}
	span := to.Sub(from)
	from, to = from.Add(-span/40), to.Add(span/40)
	span = to.Sub(from)
	at := func(t time.Time) float64 { return lineWidth * float64(t.Sub(from)) / float64(span) }
	out := &timeline{Width: lineWidth, Now: at(now), From: from, To: to}
	for _, k := range keys {
		row := lane{Key: k, Words: wordsOf(k)}
		end := first(to, k.PublishedUntil, k.PlannedGone)
		if k.RevokedAt != nil {
			end, row.DeadX = *k.RevokedAt, at(*k.RevokedAt)
		}
		row.X, row.W = at(k.CreatedAt), max(at(end)-at(k.CreatedAt), 2)
		if start := first(time.Time{}, k.SignsFrom, k.PlannedFrom); !start.IsZero() && (k.SignsFrom != nil || k.RevokedAt == nil) {
			stop := first(to, k.SignsUntil, k.RevokedAt, k.PlannedUntil)
			out.Planned = out.Planned || k.SignsFrom == nil
			row.SignX, row.SignW = at(start), max(at(stop)-at(start), 2)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// first returns the first time that is there.
func first(otherwise time.Time, times ...*time.Time) time.Time {
	for _, t := range times {
		if t != nil {
			return *t
		}
	}
	return otherwise
}

// wordsOf is a key's time line as a sentence.
func wordsOf(k key) string {
	const form = "2006-01-02 15:04 UTC"
	out := "published since " + k.CreatedAt.UTC().Format(form)
	for _, one := range []struct {
		before string
		at     *time.Time
	}{
		{"signs from", k.SignsFrom}, {"will sign from", k.PlannedFrom}, {"signs until", k.SignsUntil}, {"will sign until", k.PlannedUntil},
		{"revoked", k.RevokedAt}, {"published until", k.PublishedUntil},
	} {
		if one.at != nil {
			out += ", " + one.before + " " + one.at.UTC().Format(form)
		}
	}
	return out
}
