package revocation

import (
	"strings"
	"sync/atomic"
)

// familiar is a small cache of the digests that many tokens have in common, those of
// their key and of their issuer, so that they are not computed for each token. It is
// safe for concurrent use.
type familiar [16]atomic.Pointer[familiarName]

type familiarName struct {
	issuer, id string
	kind       Kind
	digest     Digest
}

// digestOf is DigestOf. A nil familiar has nothing at hand.
func (f *familiar) digestOf(issuer string, kind Kind, id string) Digest {
	if f == nil || kind != KindKey && kind != KindAll {
		return DigestOf(issuer, kind, id)
	}
	place := len(issuer) + len(id)
	if id != "" {
		place += int(id[0])
	}
	at := &f[place%len(f)]
	if n := at.Load(); n != nil && n.kind == kind && n.id == id && n.issuer == issuer {
		return n.digest
	}
	n := &familiarName{strings.Clone(issuer), strings.Clone(id), kind, DigestOf(issuer, kind, id)}
	at.Store(n)
	return n.digest
}
