package revocation

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// cursor is a place in a list: after everything of the records above record; and
// when statement is set, in record's own entry, after that statement.
type cursor struct {
	record    int64 // 0: before the newest
	statement int64 // 0: record is done with
}

func (c cursor) String() string {
	return strconv.FormatInt(c.record, 10) + "-" + strconv.FormatInt(c.statement, 10)
}

// parseCursor reads what String wrote; the empty text is the beginning.
func parseCursor(s string) (c cursor, err error) {
	if s == "" {
		return cursor{}, nil
	}
	record, statement, _ := strings.Cut(s, "-")
	c.record, err = number(record)
	if err == nil {
		c.statement, err = number(statement)
	}
	if err != nil || c.record == 0 || c.String() != s {
		return cursor{}, fmt.Errorf("%w: not a cursor", ErrInvalid)
	}
	return c, nil
}

// pager fills one page from entries that come newest first.
type pager struct {
	filter Filter
	limit  int
	from   cursor
	leeway time.Duration
	page   Page
	last   cursor // of the last item on the page
}

func newPager(f Filter, leeway time.Duration) (*pager, error) {
	from, err := parseCursor(f.Cursor)
	if err != nil {
		return nil, err
	}
	if f.Kind != "" {
		if _, err := ParseKind(string(f.Kind)); err != nil {
			return nil, err
		}
	}
	return &pager{filter: f, limit: f.limit(), from: from, leeway: leeway}, nil
}

// add takes what matches of an entry, newest statement first. It returns false
// when the page was full before all was taken: the rest is for the next page.
func (p *pager) add(record int64, e *entry, wall int64) bool {
	for i := len(e.statements) - 1; i >= 0; i-- {
		s := e.statements[i]
		if record == p.from.record && s.at >= p.from.statement {
			continue // on the page before
		}
		r := e.revocation(s)
		if s.passed(wall, p.leeway) || !p.filter.matches(r) {
			continue
		}
		if len(p.page.Items) == p.limit {
			p.page.Next = p.last.String()
			return false
		}
		p.page.Items = append(p.page.Items, r)
		p.last = cursor{record: record, statement: s.at}
	}
	return true
}
