package revocation

import (
	"context"
	"fmt"
	"slices"
)

// Thing is what a digest stands for. Issuer and Value are empty where that is not
// known: no entry of the digest is kept, or not with its id.
type Thing struct {
	Issuer string
	Value  string // empty for KindAll and KindSigned
}

// Things returns what digests stand for, each at its digest's place. The number of
// round trips grows with that of the digests. ErrUnavailable.
func (r *Redis) Things(ctx context.Context, digests []Digest) ([]Thing, error) {
	out := make([]Thing, 0, len(digests))
	for batch := range slices.Chunk(digests, listBatch) {
		entries, _, err := r.read(ctx, batch)
		if err != nil {
			return nil, fmt.Errorf("things: %w", err)
		}
		for _, e := range entries {
			var t Thing
			if e != nil {
				t = Thing{Issuer: e.issuer, Value: e.value}
			}
			out = append(out, t)
		}
	}
	return out, nil
}
