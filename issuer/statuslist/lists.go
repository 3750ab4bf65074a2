package statuslist

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"tollgate/issuer/store"
	"tollgate/revocation"
)

var (
	// ErrNotFound says that there is no such list: none of that name was begun, its
	// tokens have expired, or the store has lost something since.
	ErrNotFound = errors.New("no such status list")
	// ErrUnavailable says that what is revoked, or which token an index stands for,
	// cannot be told now.
	ErrUnavailable = errors.New("status is unavailable")
)

// Times of the documents; see the package comment for what they add up to.
const (
	// TTL is how long a verifier may keep a document before it asks again.
	TTL = 10 * time.Second
	// Life is how long a document is valid.
	Life = time.Minute

	rebuildAfter = 3 * time.Second
	mostStale    = 2 * time.Second
	pageAge      = time.Second
)

// Paths of the documents, below Config.Base. A list's name follows ListPath.
const (
	ListPath        = "/.well-known/status/"
	RevocationsPath = "/.well-known/revocations"
)

// Config of Lists. Everything but Now is required.
type Config struct {
	Issuer string // whose tokens
	// Base is the URL under which verifiers reach the public listener, without a
	// final slash.
	Base string
	// AccessTTL is the life of an access token, Leeway what verifiers of ours allow
	// after it.
	AccessTTL, Leeway time.Duration
	Index             *store.StatusLists
	Ledger            *Ledger
	// Things says what digests stand for.
	Things func(ctx context.Context, digests []revocation.Digest) ([]revocation.Thing, error)
	// Head asks the store for the sequence of the latest feed record.
	Head func(ctx context.Context) (uint64, error)
	// Sign makes a compact JWS of a payload and returns it with the key's id.
	Sign func(ctx context.Context, payload []byte, typ string) (raw, kid string, err error)
	// Now is time.Now; for tests.
	Now func() time.Time
}

// Lists gives tokens their indexes and makes the documents. It is safe for
// concurrent use.
type Lists struct {
	Config
	kid    atomic.Pointer[string] // that signed last: the best guess at what signs next
	flight singleflight.Group     // joins those who ask for the same document
	slots  chan struct{}          // bounds how many documents are made at once

	mu     sync.Mutex
	window int64                // guarded by mu, like the rest: the latest window
	number int                  // of it, lists before are full
	lists  map[listName]*list   // that were asked for lately
	pages  map[pageKey]document // likewise
}

// New returns Lists, or an error that names what is missing.
func New(c Config) (*Lists, error) {
	if c.Issuer == "" || c.Base == "" || c.AccessTTL <= 0 || c.Index == nil || c.Ledger == nil || c.Things == nil || c.Head == nil || c.Sign == nil {
		return nil, errors.New("statuslist: issuer, base, life of access tokens, index, ledger, things, head and signer are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	const atOnce = 2
	l := &Lists{Config: c, slots: make(chan struct{}, atOnce), lists: map[listName]*list{}, pages: map[pageKey]document{}}
	l.kid.Store(new(string))
	return l, nil
}

// Ready returns nil once documents can be made and indexes be given.
func (l *Lists) Ready() error {
	if !l.Ledger.ready() {
		return errors.New("the revocation feed was not read to its end yet")
	}
	return nil
}

// Allowance is by how many bytes at most a status claim makes a token's claims
// longer.
func (l *Lists) Allowance() int { return len(l.Base) + len(ListPath) + 128 }

// once runs build for whoever asks for the same key at that time, in one of few
// slots.
func (l *Lists) once(ctx context.Context, key string, build func(context.Context) (document, error)) (document, error) {
	result := l.flight.DoChan(key, func() (any, error) {
		// Whoever came first may leave before the others have their answer.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		select {
		case l.slots <- struct{}{}:
		case <-ctx.Done():
			return document{}, errors.Join(ErrUnavailable, ctx.Err())
		}
		defer func() { <-l.slots }()
		return build(ctx)
	})
	select {
	case <-ctx.Done():
		return document{}, errors.Join(ErrUnavailable, ctx.Err())
	case r := <-result:
		d, _ := r.Val.(document)
		return d, r.Err
	}
}
