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
	text, err := base64.RawURLEncoding.DecodeString(after)
	if err != nil || !positionForm.Match(text) {
		return nil, "", invalid("after")
	}
	var ends [2]string
	ends[0], ends[1], _ = strings.Cut(string(text), " ")
	var ahead [2][]redis.XMessage
	for i, key := range []string{a.names.actions(), a.names.events()} {
		if ahead[i], err = a.client.XRangeN(ctx, key, "("+ends[i], "+", auditChunk).Result(); err != nil {
			return nil, "", unavailable("follow the audit log", err)
		}
	}
	open, held, err := a.unsettled(ctx, ahead[0])
	if err != nil {
		return nil, "", err
	}
	whole := [2]bool{len(ahead[0]) < auditChunk, len(ahead[1]) < auditChunk}
	for len(page) < f.Limit {
		i := older(ahead)
		if i < 0 {
			break
		}
		m := ahead[i][0]
		if i == 0 && m.ID == held {
			break
		}
		ahead[i], ends[i] = ahead[i][1:], m.ID
		l := lineOf([2]string{placeAction, placeEvent}[i], m)
		settled := i == 0 && l.Outcome == OutcomeBegun && !open[m.ID]
		if !settled && f.fits(&l) {
			page = append(page, l)
		}
		if len(ahead[i]) == 0 && !whole[i] {
			break // what comes next in this one may be older than what the other has
		}
	}
	return page, position(ends), nil
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
