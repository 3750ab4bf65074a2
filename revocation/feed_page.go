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

// read fills told with at most count records from the stream id from on, and
// returns the epoch of the same moment.
func (r *feedReader) read(ctx context.Context, from int64, count int) (feedHead, error) {
	f := r.feed
	r.buf = r.buf[:0]
	var fields *redis.SliceCmd
	role, err := f.role.ask(ctx, f.cfg.Client)
	if err != nil {
		return feedHead{}, err
	}
	_, err = f.cfg.Client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		if role != nil {
			_ = p.Process(ctx, role) // Exec has its error
		}
		fields = p.HMGet(ctx, f.names.epoch, headFields...)
		// Raw, because go-redis makes a map of each record: three times as slow.
		return p.Process(ctx, redis.NewRawWriteToCmd(ctx, &r.buf,
			"xrange", f.names.feed, streamID(from), "+", "count", count))
	})
	if err != nil {
		return feedHead{}, err
	}
	if err := f.role.wantPrimary(ctx, f, role); err != nil {
		return feedHead{}, err
	}
	h, err := parseHead(fields.Val())
	if err != nil {
		return feedHead{}, err
	}
	if text, failed := bytes.CutPrefix(r.buf, []byte("-")); failed {
		return feedHead{}, errors.New(string(bytes.TrimSpace(text)))
	}
	r.told, err = toldRaw(r.told[:0], r.buf)
	return h, err
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
