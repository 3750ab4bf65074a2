package revocation

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// read fills p.buf with the records from p's stream id on, at most one more than its
// count, and returns the epoch of the same moment.
func (f *Feed) read(ctx context.Context, p *feedPage) (feedHead, error) {
	p.buf = p.buf[:0]
	var fields *redis.SliceCmd
	role, err := f.role.ask(ctx, f.cfg.Client)
	if err != nil {
		return feedHead{}, err
	}
	_, err = f.cfg.Client.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		if role != nil {
			_ = tx.Process(ctx, role) // Exec has its error
		}
		fields = tx.HMGet(ctx, f.names.epoch, headFields...)
		// Raw, because go-redis makes a map of each record: three times as slow.
		return tx.Process(ctx, redis.NewRawWriteToCmd(ctx, &p.buf,
			"xrange", f.names.feed, streamID(p.from), "+", "count", p.count+1))
	})
	if err != nil {
		return feedHead{}, err
	}
	if err := f.role.wantPrimary(ctx, f.cfg.Client, f.names.epoch, role); err != nil {
		return feedHead{}, err
	}
	h, err := parseHead(fields.Val())
	if err != nil {
		return feedHead{}, err
	}
	if text, failed := bytes.CutPrefix(p.buf, []byte("-")); failed {
		return feedHead{}, errors.New(string(bytes.TrimSpace(text)))
	}
	return h, nil
}

// streamID is the id of the record written at that store time.
func streamID(at int64) string { return strconv.FormatInt(at, 10) + "-0" }

// pageBuffer takes a reply. bytes.Buffer would do; but go-redis copies each bulk
// string of a reply by io.CopyN, and that reads twice and grows before each.
type pageBuffer []byte

func (b *pageBuffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

// ReadFrom reads to the end of r.
func (b *pageBuffer) ReadFrom(r io.Reader) (int64, error) {
	l, ok := r.(*io.LimitedReader)
	if !ok {
		return io.Copy(struct{ io.Writer }{b}, r)
	}
	from := len(*b)
	*b = slices.Grow(*b, int(l.N))[:from+int(l.N)]
	n, err := io.ReadFull(l.R, (*b)[from:])
	*b = (*b)[:from+n]
	l.N -= int64(n)
	return int64(n), err
}
