package revocation

import (
	"fmt"
	"testing"
	"time"
)

// toldChain returns records from…to of one history; its nonces begin with name. Record
// n has the stream id 10 n.
func toldChain(name string, from, to uint64) []told {
	var list []told
	for n := from; n <= to; n++ {
		r := told{Record: Record{N: n}, id: int64(10 * n), nonce: fmt.Appendf(nil, "%s%d", name, n)}
		if n > 1 {
			r.prev = fmt.Appendf(nil, "%s%d", name, n-1)
		}
		list = append(list, r)
	}
	return list
}

// headOf is the epoch of a store whose last record is n of that history.
func headOf(name string, n, trimmed uint64) feedHead {
	h := feedHead{Epoch: Epoch{ID: "epoch", Born: 1, N: n, Clock: int64(10*n) + 5}, trimmed: trimmed}
	if n > 0 {
		h.last = fmt.Sprint(name, n)
	}
	return h
}

// levelAt is a level position at record n of a history.
func levelAt(name string, n uint64) feedPosition {
	return feedPosition{epoch: "epoch", n: n, nonce: fmt.Sprint(name, n), id: int64(10 * n), level: true}
}

func joinTold(lists ...[]told) []told {
	var all []told
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func TestPositionTakes(t *testing.T) {
	another := headOf("a", 5, 0)
	another.ID = "another"
	older := headOf("a", 9, 0)
	older.Born = 1000            // the feed is older than the epoch, which knows no trim
	mended := headOf("b", 12, 0) // what was lost up to 9 was put back after it
	mended.mended = 9
	lostEnd := headOf("a", 9, 0)
	lostEnd.mended = 9
	loading := func(p feedPosition) feedPosition { p.level = false; return p }
	absent := func(p feedPosition) feedPosition { p.id, p.absent = p.id+5, true; return p }
	empty := feedPosition{epoch: "epoch", level: true}
	for name, tt := range map[string]struct {
		from    feedPosition
		head    feedHead
		records []told
		more    bool // the page is not the last
		gap     string
		want    feedPosition // zero: back at the beginning
		fresh   int
	}{
		"nothing was ever written":          {head: headOf("a", 0, 0), want: empty},
		"no epoch yet":                      {},
		"no epoch yet, a feed from before":  {records: toldChain("a", 1, 3)},
		"from the beginning":                {head: headOf("a", 5, 0), records: toldChain("a", 1, 5), want: levelAt("a", 5), fresh: 5},
		"from the beginning, page by page":  {head: headOf("a", 5, 0), records: toldChain("a", 1, 3), more: true, want: loading(levelAt("a", 3)), fresh: 3},
		"the next page":                     {from: loading(levelAt("a", 3)), head: headOf("a", 5, 0), records: toldChain("a", 3, 5), want: levelAt("a", 5), fresh: 2},
		"a trimmed beginning":               {head: headOf("a", 9, 4), records: toldChain("a", 5, 9), want: levelAt("a", 9), fresh: 5},
		"all was trimmed":                   {head: headOf("a", 9, 9), want: absent(levelAt("a", 9))},
		"a beginning older than the epoch":  {head: older, records: toldChain("a", 5, 9), want: levelAt("a", 9), fresh: 5},
		"the beginning is missing":          {head: headOf("a", 9, 2), records: toldChain("a", 5, 9), gap: gapBeginning, want: levelAt("a", 9), fresh: 5},
		"the beginning is gone untrimmed":   {head: headOf("a", 9, 0), records: toldChain("a", 5, 9), gap: gapBeginning, want: levelAt("a", 9), fresh: 5},
		"the middle is missing":             {head: headOf("a", 9, 0), records: joinTold(toldChain("a", 1, 3), toldChain("a", 6, 9)), gap: gapChain, want: levelAt("a", 9), fresh: 7},
		"the middle is another":             {head: headOf("b", 9, 0), records: joinTold(toldChain("a", 1, 3), toldChain("b", 4, 9)), gap: gapChain, want: levelAt("b", 9), fresh: 9},
		"a middle that was mended":          {head: mended, records: joinTold(toldChain("a", 1, 3), toldChain("c", 6, 8), toldChain("b", 10, 12)), want: levelAt("b", 12), fresh: 9},
		"a hole after what was mended":      {head: mended, records: joinTold(toldChain("a", 1, 9), toldChain("b", 11, 12)), gap: gapChain, want: levelAt("b", 12), fresh: 11},
		"a hole from what was mended on":    {head: mended, records: joinTold(toldChain("a", 1, 3), toldChain("b", 11, 12)), gap: gapChain, want: levelAt("b", 12), fresh: 5},
		"an end that was mended":            {head: lostEnd, records: toldChain("a", 1, 5), want: absent(levelAt("a", 9)), fresh: 5},
		"the end is missing":                {head: headOf("a", 9, 0), records: toldChain("a", 1, 5), gap: gapEnd, want: absent(levelAt("a", 9)), fresh: 5},
		"the feed is missing":               {head: headOf("a", 9, 4), gap: gapEnd, want: absent(levelAt("a", 9))},
		"the end is another":                {head: headOf("b", 5, 0), records: toldChain("a", 1, 5), gap: gapEnd, want: absent(levelAt("b", 5)), fresh: 5},
		"the feed is ahead of the epoch":    {head: headOf("a", 5, 0), records: toldChain("a", 1, 9), gap: gapEnd, want: feedPosition{epoch: "epoch", n: 5, nonce: "a5", id: 90, level: true, absent: true}, fresh: 9},
		"quiet":                             {from: levelAt("a", 5), head: headOf("a", 5, 0), records: toldChain("a", 5, 5), want: levelAt("a", 5)},
		"quiet and trimmed":                 {from: levelAt("a", 5), head: headOf("a", 5, 5), want: levelAt("a", 5)},
		"quiet after damage":                {from: absent(levelAt("a", 5)), head: headOf("a", 5, 0), want: absent(levelAt("a", 5))},
		"told":                              {from: levelAt("a", 5), head: headOf("a", 7, 0), records: toldChain("a", 5, 7), want: levelAt("a", 7), fresh: 2},
		"told, the last trimmed":            {from: levelAt("a", 5), head: headOf("a", 7, 5), records: toldChain("a", 6, 7), want: levelAt("a", 7), fresh: 2},
		"told after damage":                 {from: absent(levelAt("a", 5)), head: headOf("a", 7, 0), records: toldChain("a", 6, 7), want: levelAt("a", 7), fresh: 2},
		"the very first":                    {from: empty, head: headOf("a", 2, 0), records: toldChain("a", 1, 2), want: levelAt("a", 2), fresh: 2},
		"more than a page":                  {from: levelAt("a", 5), head: headOf("a", 9, 0), records: toldChain("a", 5, 7), more: true, want: levelAt("a", 7), fresh: 2},
		"overtaken by trim":                 {from: levelAt("a", 5), head: headOf("a", 20, 15), records: toldChain("a", 16, 20), want: levelAt("a", 20), fresh: 5},
		"overtaken by trim, nothing left":   {from: levelAt("a", 5), head: headOf("a", 20, 20), want: absent(levelAt("a", 20))},
		"overtaken while loading":           {from: loading(levelAt("a", 5)), head: headOf("a", 20, 15), records: toldChain("a", 16, 18), more: true, want: loading(levelAt("a", 18)), fresh: 3},
		"emptied":                           {from: levelAt("a", 5), gap: gapNoEpoch},
		"emptied before anything was told":  {from: empty, gap: gapNoEpoch},
		"emptied, a feed is left":           {from: levelAt("a", 5), records: toldChain("a", 5, 5), gap: gapNoEpoch},
		"another epoch":                     {from: levelAt("a", 5), head: another, records: toldChain("a", 5, 5), gap: gapEpoch},
		"another epoch while loading":       {from: loading(levelAt("a", 3)), head: another, records: toldChain("a", 3, 5), gap: gapEpoch},
		"fell back":                         {from: levelAt("a", 5), head: headOf("a", 3, 0), gap: gapFell},
		"fell back and was written again":   {from: levelAt("a", 5), head: headOf("b", 5, 0), records: toldChain("b", 5, 5), gap: gapOther},
		"the same, at another time":         {from: absent(levelAt("a", 5)), head: headOf("b", 5, 0), gap: gapEnd},
		"the same, and trimmed":             {from: levelAt("a", 5), head: headOf("b", 5, 5), gap: gapEnd},
		"written again beyond":              {from: levelAt("a", 5), head: headOf("b", 9, 0), records: toldChain("b", 5, 9), gap: gapOther},
		"written again beyond, and trimmed": {from: levelAt("a", 5), head: headOf("b", 9, 5), records: toldChain("b", 6, 9), gap: gapChain},
		"the last one is not there":         {from: levelAt("a", 5), head: headOf("a", 7, 0), records: toldChain("a", 6, 7), gap: gapGone},
		"the last one is not there, quiet":  {from: levelAt("a", 5), head: headOf("a", 5, 0), gap: gapGone},
		"one between is not there":          {from: levelAt("a", 5), head: headOf("a", 9, 0), records: joinTold(toldChain("a", 5, 5), toldChain("a", 7, 9)), gap: gapChain},
		"one beyond the trim is not there":  {from: levelAt("a", 5), head: headOf("a", 9, 6), records: toldChain("a", 8, 9), gap: gapChain},
		"the end is not there":              {from: levelAt("a", 5), head: headOf("a", 9, 0), records: toldChain("a", 5, 7), gap: gapEnd},
	} {
		t.Run(name, func(t *testing.T) {
			p := tt.from
			fresh, gap, ok := p.take(tt.head, tt.records, !tt.more)
			if gap != tt.gap || ok != (tt.want != feedPosition{}) || len(fresh) != tt.fresh || p != tt.want {
				t.Fatalf("gap %q, ok %v, %d fresh, at %+v", gap, ok, len(fresh), p)
			}
			if !ok || tt.more {
				return
			}
			// What was accepted, damaged or not, is not told of again.
			var again []told
			for _, r := range tt.records {
				if r.id >= p.id {
					again = append(again, r)
				}
			}
			if fresh, gap, ok := p.take(tt.head, again, true); gap != "" || !ok || len(fresh) > 0 || p != tt.want {
				t.Fatalf("again: gap %q, ok %v, %d fresh, at %+v", gap, ok, len(fresh), p)
			}
		})
	}
}

func TestPositionFollows(t *testing.T) {
	for name, tt := range map[string]struct {
		from    feedPosition
		records []told
		want    feedPosition
	}{
		"one":             {levelAt("a", 5), toldChain("a", 6, 6), levelAt("a", 6)},
		"several":         {levelAt("a", 5), toldChain("a", 6, 9), levelAt("a", 9)},
		"the first":       {feedPosition{epoch: "epoch", level: true}, toldChain("a", 1, 2), levelAt("a", 2)},
		"another history": {levelAt("a", 5), toldChain("b", 6, 6), levelAt("a", 5)},
		"one is missing":  {levelAt("a", 5), toldChain("a", 7, 7), levelAt("a", 5)},
		"one was skipped": {levelAt("a", 5), joinTold(toldChain("a", 6, 6), toldChain("a", 8, 8)), levelAt("a", 5)},
		"known already":   {levelAt("a", 5), toldChain("a", 5, 6), levelAt("a", 5)},
		"not the first":   {feedPosition{epoch: "epoch", level: true}, toldChain("a", 2, 3), feedPosition{epoch: "epoch", level: true}},
	} {
		p := tt.from
		if ok := p.follow(tt.records); ok == (tt.want == tt.from) || p != tt.want {
			t.Errorf("%s: %v, at %+v", name, ok, p)
		}
	}
}

// TestLevelDoesNotAge: of two reads that found nothing new the one sent later
// counts, whichever is answered last; but after a false everything begins anew.
func TestLevelDoesNotAge(t *testing.T) {
	var told []time.Time
	f := &Feed{cfg: FeedConfig{Level: func(_ bool, sent time.Time) { told = append(told, sent) }}}
	first := time.Now()
	second := first.Add(time.Second)
	for _, step := range []struct {
		level      bool
		sent, want time.Time
	}{{true, first, first}, {true, second, second}, {true, first, second}, {false, first, first}, {true, first, first}} {
		f.tellLevel(step.level, step.sent)
		if got := told[len(told)-1]; !got.Equal(step.want) {
			t.Errorf("call %d: %s off", len(told), got.Sub(step.want))
		}
	}
}
