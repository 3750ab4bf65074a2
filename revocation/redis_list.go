package revocation

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"
)

const (
	listBatch = 100 // most feed records, and so entries, of one read
	listLeast = 20  // least of them, for small pages
	listScan  = 20  // most reads of one page
)

// Get returns one statement.
func (r *Redis) Get(ctx context.Context, id string) (Revocation, error) {
	d, at, ok := parseID(id)
	if !ok {
		return Revocation{}, ErrNotFound
	}
	entries, wall, err := r.read(ctx, []Digest{d})
	if err != nil {
		return Revocation{}, fmt.Errorf("get: %w", err)
	}
	e := entries[0]
	if e == nil {
		return Revocation{}, ErrNotFound
	}
	i := e.find(at)
	if i < 0 || e.statements[i].passed(wall, r.settings.Leeway) {
		return Revocation{}, ErrNotFound
	}
	return e.revocation(e.statements[i]), nil
}

// List walks the feed backwards. An entry is shown at the record that last told
// of it; every other record of it is passed over.
func (r *Redis) List(ctx context.Context, f Filter) (Page, error) {
	p, err := newPager(f, r.settings.Leeway)
	if err != nil {
		return Page{}, err
	}
	from := "+"
	switch {
	case p.from.statement != 0:
		from = strconv.FormatInt(p.from.record, 10) + "-0"
	case p.from.record != 0:
		from = strconv.FormatInt(p.from.record-1, 10) + "-0"
	}
	batch := min(max(p.limit, listLeast), listBatch)
	for range listScan {
		records, err := r.records(ctx, from, batch)
		if err != nil {
			return Page{}, fmt.Errorf("list: %w", err)
		}
		more, err := r.addTo(ctx, p, records)
		if err != nil {
			return Page{}, fmt.Errorf("list: %w", err)
		}
		if !more {
			return p.page, nil
		}
		if p.page.Next = ""; len(records) < batch {
			return p.page, nil
		}
		from = strconv.FormatInt(records[len(records)-1].at-1, 10) + "-0"
		p.page.Next = cursor{record: records[len(records)-1].at}.String()
	}
	return p.page, nil
}

// addTo reads the entries that the records tell of and gives them to the pager.
func (r *Redis) addTo(ctx context.Context, p *pager, records []feedRecord) (more bool, err error) {
	var wanted []feedRecord // the newest of each entry
	var digests []Digest
	for _, rec := range records {
		if (p.filter.Kind == "" || p.filter.Kind == rec.kind) && !slices.Contains(digests, rec.digest) {
			wanted = append(wanted, rec)
			digests = append(digests, rec.digest)
		}
	}
	entries, wall, err := r.read(ctx, digests)
	if err != nil {
		return false, err
	}
	for i, rec := range wanted {
		if e := entries[i]; e != nil && e.n == rec.n && !p.add(rec.at, e, wall) {
			return false, nil
		}
	}
	return true, nil
}

// read reads entries at one moment and returns Redis's real time (µs) with them.
// An entry that is not there is nil.
func (r *Redis) read(ctx context.Context, digests []Digest) ([]*entry, int64, error) {
	if len(digests) == 0 {
		return nil, 0, nil
	}
	keys := make([]string, len(digests))
	for i, d := range digests {
		keys[i] = r.names.entry(d)
	}
	reply, err := r.run(ctx, r.scripts.read, keys)
	if err != nil {
		return nil, 0, err
	}
	list, _ := reply.([]any)
	if len(list) != 1+len(keys) {
		return nil, 0, fmt.Errorf("%w: %w", ErrUnavailable, errReply)
	}
	text, _ := list[0].(string)
	wall, err := number(text)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	entries := make([]*entry, len(digests))
	for i, d := range digests {
		if entries[i], err = parseEntry(d, list[i+1]); err != nil {
			return nil, 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	return entries, wall, nil
}

// feedRecord is what List needs of a record of the feed.
type feedRecord struct {
	at     int64 // stream id: store time (µs)
	n      uint64
	digest Digest
	kind   Kind
}

// records reads a batch of the feed, backwards from a stream id.
func (r *Redis) records(ctx context.Context, from string, batch int) ([]feedRecord, error) {
	reply, err := again(ctx, r.client, func() (any, error) {
		return r.client.XRevRangeN(ctx, r.names.feed, from, "-", int64(batch)).Result()
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	messages, _ := reply.([]redis.XMessage)
	out := make([]feedRecord, len(messages))
	for i, m := range messages {
		t, err := toldMessage(m)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		out[i] = feedRecord{at: t.id, n: t.N, digest: t.Digest, kind: t.Kind}
	}
	return out, nil
}
