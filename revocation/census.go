package revocation

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	leastLook   = time.Millisecond      // pause between two looks of a wait, at first
	mostLook    = 50 * time.Millisecond // and at last, but for a wait that is long already
	longLook    = 10                    // a tenth of which it pauses: what hangs is not asked about for nothing
	lookTimeout = 500 * time.Millisecond
	// settling is how long after a loss the register counts as incomplete: an edge is
	// entered again by its next report, a second later at most, and one that was cut off
	// needs a little more.
	settling = 3 * time.Second
)

// Census reads the register of edges. Its methods may be called at the same time.
type Census struct {
	client  redis.UniversalClient
	names   names
	scripts edgeScripts
	known   atomic.Pointer[[]string] // names that were in the register lately
}

// NewCensus returns the census of the store under prefix. ErrInvalid.
func NewCensus(client redis.UniversalClient, prefix string) (*Census, error) {
	if client == nil {
		return nil, fmt.Errorf("census: %w: no Redis client", ErrInvalid)
	}
	n, err := newNames(prefix)
	if err != nil {
		return nil, fmt.Errorf("census: %w", err)
	}
	return &Census{client: client, names: n, scripts: newEdgeScripts()}, nil
}

// Edges returns every edge in order of names: the live ones, and for ten minutes
// those that fell silent. ErrUnavailable.
func (c *Census) Edges(ctx context.Context) ([]Edge, error) {
	asked := c.atHand()
	for {
		reply, err := runScript(ctx, c.client, c.scripts.list, c.keys(asked))
		if err != nil {
			return nil, fmt.Errorf("edges: %w", err)
		}
		list, more, err := parseEdges(reply, asked)
		if err != nil {
			return nil, fmt.Errorf("edges: %w: %w", ErrUnavailable, err)
		}
		names := make([]string, len(list))
		for i := range list {
			names[i] = list[i].Name
		}
		asked = append(names, more...)
		c.keep(asked)
		if len(more) == 0 {
			slices.SortFunc(list, func(a, b Edge) int { return cmp.Compare(a.Name, b.Name) })
			return list, nil
		}
	}
}

// Count returns how many edges are live, and how many of them have applied record n
// of the epoch. ErrUnavailable.
func (c *Census) Count(ctx context.Context, n uint64, epoch string) (live, applied int, err error) {
	t, err := c.look(ctx, n, epoch)
	return t.live, t.applied, err
}

// Wait waits until every live edge has applied record n of the epoch, or ctx ends,
// and returns the last count. After a loss of the register (another epoch that does
// not vouch for what was before, or an eviction of the register alone) it does not take the few
// that are back for all. When
// the store has another epoch by now nobody will ever have applied n, and it returns
// at once. ErrUnavailable when there was no answer at all.
func (c *Census) Wait(ctx context.Context, n uint64, epoch string) (live, applied int, err error) {
	var last tally
	err = fmt.Errorf("wait: %w: no time to look", ErrUnavailable)
	begun := time.Now()
	for pause := leastLook; ctx.Err() == nil; pause = min(2*pause, max(mostLook, time.Since(begun)/longLook)) {
		t, failed := c.look(ctx, n, epoch)
		switch {
		case failed == nil:
			last, err = t, nil
			if t.epoch != epoch || t.applied == t.live && !t.settling() {
				return t.live, t.applied, nil
			}
		case err != nil:
			err = fmt.Errorf("wait: %w", failed)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return last.live, last.applied, err
}

// tally is one count.
type tally struct {
	now           int64 // store time (µs)
	epoch         string
	born, since   int64
	lost          int64 // when the register was found lost (µs); 0: never
	live, applied int
}

// settling reports whether edges may still be missing from the register because it was
// lost.
func (t tally) settling() bool {
	return t.since != 0 && t.now < t.born+settling.Microseconds() || t.lost != 0 && t.now < t.lost+settling.Microseconds()
}

// look counts, and counts again while the register has edges whose names were not asked
// for: as a rule it does so once.
func (c *Census) look(ctx context.Context, n uint64, epoch string) (tally, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	asked := c.atHand()
	for {
		args := []any{n, epoch}
		for _, name := range asked {
			args = append(args, name)
		}
		reply, err := runScript(ctx, c.client, c.scripts.count, c.keys(asked), args...)
		if err != nil {
			return tally{}, fmt.Errorf("count edges: %w", err)
		}
		t, more, err := parseTally(reply)
		if err != nil {
			return tally{}, fmt.Errorf("count edges: %w: %w", ErrUnavailable, err)
		}
		if len(more) == 0 {
			return t, nil
		}
		if len(asked) > 2*t.live+16 { // most of them are gone
			asked = nil
		}
		asked = append(slices.Clip(asked), more...)
		c.keep(asked)
	}
}

// parseTally reads the reply of edge_count.lua.
func parseTally(reply any) (tally, []string, error) {
	const head = 7
	out, err := texts(reply)
	if err != nil || len(out) < head {
		return tally{}, nil, errReply
	}
	t := tally{epoch: out[1]}
	for i, to := range map[int]*int64{0: &t.now, 2: &t.born, 3: &t.since, 4: &t.lost} {
		if *to, err = number(out[i]); err != nil {
			return tally{}, nil, err
		}
	}
	for i, to := range map[int]*int{5: &t.live, 6: &t.applied} {
		if *to, err = strconv.Atoi(out[i]); err != nil {
			return tally{}, nil, errReply
		}
	}
	return t, out[head:], nil
}

func (c *Census) atHand() []string {
	if known := c.known.Load(); known != nil {
		return *known
	}
	return nil
}

// keep remembers the names for the next count. The slice must not be changed afterwards.
func (c *Census) keep(names []string) {
	names = slices.Clip(names[:min(len(names), maxEdgeNames)])
	c.known.Store(&names)
}

// keys are those of a script that reads the register.
func (c *Census) keys(names []string) []string {
	keys := make([]string, 0, len(names)+2)
	keys = append(keys, c.names.epoch, c.names.edges)
	for _, name := range names {
		keys = append(keys, c.names.edge(name))
	}
	return keys
}
