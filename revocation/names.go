package revocation

import (
	"fmt"
	"strings"
)

// Every Redis key of this package. All share the hash tag {rev}: one script
// touches an entry, the feed and the epoch together, and in a cluster that needs
// one slot.
//
//	name                       type    TTL
//	<prefix>{rev}:epoch        HASH    none: its absence is how a loss is noticed
//	<prefix>{rev}:feed         STREAM  none: trimmed by every write
//	<prefix>{rev}:e:<digest>   HASH    rest of the life it ends + leeway, at least
//	                                   1 s; none for kind key
//	<prefix>{rev}:edges        ZSET    none: a Redis that evicts what has an end would have wait overlook edges
//	<prefix>{rev}:edge:<name>  HASH    10 min after the edge is no longer live
//
// The fields of each stand in doc.go.
type names struct {
	epoch, feed string
	entries     string // before the digest
	edges       string
	edgeHead    string // before the name
}

// newNames returns the names under prefix. A brace in the prefix would move the
// hash tag, so it is ErrInvalid.
func newNames(prefix string) (names, error) {
	if strings.ContainsAny(prefix, "{}") {
		return names{}, fmt.Errorf("%w: a prefix with braces", ErrInvalid)
	}
	base := prefix + "{rev}:"
	return names{epoch: base + "epoch", feed: base + "feed", entries: base + "e:", edges: base + "edges", edgeHead: base + "edge:"}, nil
}

// entry returns the key of an entry. Scripts take the digest back from the last
// 32 bytes of it.
func (n names) entry(d Digest) string { return n.entries + d.String() }

// edge returns the key of what an edge has reported.
func (n names) edge(name string) string { return n.edgeHead + name }
