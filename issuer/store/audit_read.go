package store

import (
	"context"
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// AuditFilter says which lines are wanted; what is empty is not asked about.
type AuditFilter struct {
	Actor   string // name or id, exactly
	Action  string // exactly, or all below one: "session" for session.end
	Target  string // exactly
	Outcome string // exactly
	Since   time.Time
	Until   time.Time // exclusive
	Limit   int       // 0: 100; never more than 1000
	Cursor  string    // of the page before
}

// Bounds of one page. A filter that fits little must not read the whole log at once:
// the page is then short, or empty, and has a cursor all the same.
const (
	auditChunk = 250
	auditScan  = 10_000
	auditTime  = OpBudget / 2
)

// Read returns lines from the newest to the oldest. An intent is left out once its
// outcome is there. An empty next cursor means that there are no more. ErrInvalid for
// a cursor that is none.
func (a *Audit) Read(ctx context.Context, f AuditFilter) (page []Line, next string, err error) {
	if f.Limit <= 0 {
		f.Limit = defaultPage
	}
	f.Limit = min(f.Limit, maxPage)
	streams, err := a.streams(f)
	if err != nil {
		return nil, "", err
	}
	begun := time.Now()
	for scanned := 0; ; scanned++ {
		if len(page) == f.Limit || scanned >= auditScan || scanned%auditChunk == 0 && scanned > 0 && time.Since(begun) > auditTime {
			return page, streams.cursor(), nil
		}
		l, found, err := streams.next(ctx, a)
		switch {
		case err != nil:
			return nil, "", err
		case !found:
			return page, "", nil
		case l != nil && f.fits(l):
			page = append(page, *l)
		}
	}
}

func (f *AuditFilter) fits(l *Line) bool {
	return (f.Actor == "" || f.Actor == l.Actor || f.Actor == l.ActorID) &&
		(f.Action == "" || f.Action == l.Action || strings.HasPrefix(l.Action, f.Action+".")) &&
		(f.Target == "" || f.Target == l.Target) && (f.Outcome == "" || f.Outcome == l.Outcome)
}

// stream is one of the two, read backwards.
type stream struct {
	key, place string
	from       string // the oldest wanted
	end        string // "(id": what was handed out last; or the newest wanted
	ahead      []redis.XMessage
	open       map[string]bool // intents in ahead that have no outcome
	empty      bool
}

type streamPair [2]*stream

var cursorForm = regexp.MustCompile(`^(\+|\(?[0-9]{1,15}(-[0-9]{1,15})?) (\+|\(?[0-9]{1,15}(-[0-9]{1,15})?)$`)

func (a *Audit) streams(f AuditFilter) (streamPair, error) {
	from, end := "-", "+"
	if !f.Since.IsZero() {
		from = strconv.FormatInt(max(0, f.Since.UnixMilli()), 10)
	}
	if !f.Until.IsZero() {
		end = "(" + strconv.FormatInt(max(0, f.Until.UnixMilli()), 10) + "-0"
	}
	ends := []string{end, end}
	if f.Cursor != "" {
		text, err := base64.RawURLEncoding.DecodeString(f.Cursor)
		if err != nil || !cursorForm.Match(text) {
			return streamPair{}, invalid("cursor")
		}
		ends = strings.Split(string(text), " ")
	}
	return streamPair{
		{key: a.names.actions(), place: placeAction, from: from, end: ends[0]},
		{key: a.names.events(), place: placeEvent, from: from, end: ends[1]},
	}, nil
}

func (p streamPair) cursor() string {
	return base64.RawURLEncoding.EncodeToString([]byte(p[0].end + " " + p[1].end))
}

// next takes the newer of both next lines. The line is nil where it is an intent whose
// outcome is known.
func (p streamPair) next(ctx context.Context, a *Audit) (l *Line, found bool, err error) {
	for _, s := range p {
		if err := a.fill(ctx, s); err != nil {
			return nil, false, err
		}
	}
	s := p[0]
	switch {
	case s.empty && p[1].empty:
		return nil, false, nil
	case s.empty, !p[1].empty && newer(p[1].ahead[0].ID, s.ahead[0].ID):
		s = p[1]
	}
	m := s.ahead[0]
	s.ahead, s.end = s.ahead[1:], "("+m.ID
	line := lineOf(s.place, m)
	if line.Outcome == OutcomeBegun && s.place == placeAction && !s.open[m.ID] {
		return nil, true, nil
	}
	return &line, true, nil
}

func newer(a, b string) bool {
	ams, aseq := splitID(a)
	bms, bseq := splitID(b)
	return ams > bms || ams == bms && aseq > bseq
}

// fill reads ahead where nothing is left, and which of the intents are open.
func (a *Audit) fill(ctx context.Context, s *stream) error {
	if len(s.ahead) > 0 || s.empty {
		return nil
	}
	found, err := a.client.XRevRangeN(ctx, s.key, s.end, s.from, auditChunk).Result()
	if err != nil {
		return unavailable("read the audit log", err)
	}
	if s.ahead, s.empty = found, len(found) == 0; s.empty || s.place != placeAction {
		return nil
	}
	var intents []string
	for _, m := range found {
		if m.Values["outcome"] == OutcomeBegun {
			intents = append(intents, m.ID)
		}
	}
	if s.open = map[string]bool{}; len(intents) == 0 {
		return nil
	}
	scores, err := a.client.ZMScore(ctx, a.names.open(), intents...).Result()
	if err != nil {
		return unavailable("read the open actions", err)
	}
	for i, score := range scores {
		s.open[intents[i]] = score != 0 // the time of an intent is never 0
	}
	return nil
}
