package store

import (
	"context"
	"encoding/base64"
	"regexp"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// settling is how long an intent without an outcome is held back from those who follow:
// most actions take milliseconds, and are then told once, with what came of them. One
// that takes longer is told as begun, and again when it is over.
const settling = 2 * time.Second

var positionForm = regexp.MustCompile(`^[0-9]{1,15}(-[0-9]{1,15})? [0-9]{1,15}(-[0-9]{1,15})?$`)

// Position is behind all that stands in the log now: where Follow begins.
func (a *Audit) Position(ctx context.Context) (string, error) {
	var ends [2]string
	for i, key := range []string{a.names.actions(), a.names.events()} {
		last, err := a.client.XRevRangeN(ctx, key, "+", "-", 1).Result()
		if err != nil {
			return "", unavailable("read the end of the audit log", err)
		}
		if ends[i] = "0"; len(last) > 0 {
			ends[i] = last[0].ID
		}
	}
	return position(ends), nil
}

func position(ends [2]string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(ends[0] + " " + ends[1]))
}

// Follow returns what was written behind a position, the oldest first, and the position
// behind that. Of f, Cursor, Since and Until are not looked at. The page may be empty
// and the position another one: what was read did not fit. ErrInvalid for a position
// that is none.
func (a *Audit) Follow(ctx context.Context, f AuditFilter, after string) (page []Line, next string, err error) {
	if f.Limit <= 0 {
		f.Limit = defaultPage
	}
	f.Limit = min(f.Limit, maxPage)
	ends, err := positionOf(after)
	if err != nil {
		return nil, "", err
	}
	found, err := a.behind(ctx, ends)
	if err != nil {
		return nil, "", err
	}
	page = f.take(found, &ends)
	return page, position(ends), nil
}

// positionOf reads what position wrote. ErrInvalid.
func positionOf(after string) (ends [2]string, err error) {
	text, err := base64.RawURLEncoding.DecodeString(after)
	if err != nil || !positionForm.Match(text) {
		return ends, invalid("after")
	}
	ends[0], ends[1], _ = strings.Cut(string(text), " ")
	return ends, nil
}

// entry is one entry of one of the two streams.
type entry struct {
	place  int // 0: actions, 1: events
	id     string
	line   Line
	hidden bool // an intent whose outcome stands in another entry
}

// take returns the lines that fit among entries behind a position, and moves the
// position behind all that it has looked at.
func (f *AuditFilter) take(found []entry, at *[2]string) (page []Line) {
	for i := range found {
		e := &found[i]
		if !newer(e.id, at[e.place]) {
			continue
		}
		at[e.place] = e.id
		if !e.hidden && f.fits(&e.line) {
			if page = append(page, e.line); len(page) == f.Limit {
				break
			}
		}
	}
	return page
}

// behind reads what stands behind a position, in the order of both streams, as far as
// one read of each goes and no young intent stands in the way.
func (a *Audit) behind(ctx context.Context, ends [2]string) (out []entry, err error) {
	var found [2]*redis.XMessageSliceCmd
	pipe := a.client.Pipeline()
	for i, key := range []string{a.names.actions(), a.names.events()} {
		found[i] = pipe.XRangeN(ctx, key, "("+ends[i], "+", auditChunk)
	}
	if _, err = pipe.Exec(ctx); err != nil {
		return nil, unavailable("follow the audit log", err)
	}
	ahead := [2][]redis.XMessage{found[0].Val(), found[1].Val()}
	open, held, err := a.unsettled(ctx, ahead[0])
	if err != nil {
		return nil, err
	}
	whole := [2]bool{len(ahead[0]) < auditChunk, len(ahead[1]) < auditChunk}
	for {
		i := older(ahead)
		if i < 0 {
			return out, nil
		}
		m := ahead[i][0]
		if i == 0 && m.ID == held {
			return out, nil
		}
		ahead[i] = ahead[i][1:]
		e := entry{place: i, id: m.ID, line: lineOf([2]string{placeAction, placeEvent}[i], m)}
		e.hidden = i == 0 && e.line.Outcome == OutcomeBegun && !open[m.ID]
		out = append(out, e)
		if len(ahead[i]) == 0 && !whole[i] {
			return out, nil // what comes next in this one may be older than what the other has
		}
	}
}

// older says which of two has the older next entry; -1: neither has one.
func older(ahead [2][]redis.XMessage) int {
	switch {
	case len(ahead[0]) == 0 && len(ahead[1]) == 0:
		return -1
	case len(ahead[0]) == 0, len(ahead[1]) > 0 && newer(ahead[0][0].ID, ahead[1][0].ID):
		return 1
	}
	return 0
}

// unsettled returns which intents have no outcome, and the first that is young enough
// to wait for its own; "": none.
func (a *Audit) unsettled(ctx context.Context, actions []redis.XMessage) (open map[string]bool, held string, err error) {
	var intents []string
	for _, m := range actions {
		if m.Values["outcome"] == OutcomeBegun {
			intents = append(intents, m.ID)
		}
	}
	if len(intents) == 0 {
		return nil, "", nil
	}
	scores, err := a.client.ZMScore(ctx, a.names.open(), intents...).Result()
	if err != nil {
		return nil, "", unavailable("read the open actions", err)
	}
	open = map[string]bool{}
	var now time.Time
	for i, score := range scores {
		if score == 0 {
			continue
		}
		if now.IsZero() {
			if now, err = a.client.Time(ctx).Result(); err != nil {
				return nil, "", unavailable("read the time", err)
			}
		}
		open[intents[i]] = true
		if held == "" && now.Sub(time.UnixMilli(int64(score))) < settling {
			held = intents[i]
		}
	}
	return open, held, nil
}
