package remote

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"tollgate/keys"
	"tollgate/keys/token"
)

// firstWait is how long Open waits for the first sets.
const firstWait = 5 * time.Second

// source is where the keys of one issuer come from.
type source interface {
	token.KeyAwaiter
	run(ctx context.Context)
	close()
	status() Status
	published() *keys.Published
	withdraw(kid string)
	hash() string
}

// Issuers holds the keys of all trusted issuers. Its methods are safe for
// concurrent use.
type Issuers struct {
	specs   []Spec
	sources []source        // one for each of specs
	base    context.Context // ends with Close
	cancel  context.CancelFunc
}

// Open reads the files and begins to fetch the addresses. It fails with every
// fault at once when the configuration, an issuer or a file is at fault. It waits
// 5 s at most for sets that it does not have, and then goes on without them: the
// tokens of their issuers are refused until they are there.
//
// Run keeps the sets fresh. Close ends the fetches that Open and tokens began.
func Open(ctx context.Context, specs []Spec, c Config) (*Issuers, error) {
	faults := []error{c.Validate()}
	seen := make(map[string]bool)
	for _, s := range specs {
		for _, f := range s.faults() {
			faults = append(faults, fmt.Errorf("issuer %q: %s", s.Issuer, f.text))
		}
		if seen[s.Issuer] {
			faults = append(faults, fmt.Errorf("issuer %q: is named twice", s.Issuer))
		}
		seen[s.Issuer] = true
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	c = c.filled()
	i := &Issuers{specs: slices.Clone(specs)}
	// What was begun outlives the call that opened: Close ends it.
	i.base, i.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, s := range i.specs {
		from, err := c.source(i.base, s)
		if err != nil {
			faults = append(faults, fmt.Errorf("issuer %q: %w", s.Issuer, err))
			continue
		}
		i.sources = append(i.sources, from)
	}
	err := errors.Join(faults...)
	if err == nil {
		err = i.first(ctx)
	}
	if err != nil {
		i.Close()
		return nil, err
	}
	return i, nil
}

// source makes the source of one issuer. A file is read here; an address is not
// asked yet.
func (c Config) source(base context.Context, s Spec) (source, error) {
	if s.JWKSURL != "" {
		return c.urlSource(base, s)
	}
	f := &fileSource{held: held{hardAge: c.HardAge, now: c.Now}, issuer: s.Issuer, log: c.Log, poll: c.Poll, changed: c.OnChange, base: base}
	switch {
	case s.JWKSFile != "":
		f.kind, f.path, f.parse = fromJWKS, s.JWKSFile, jwks(s.Algorithms)
	case s.KeyFile != "":
		f.kind, f.path, f.parse = fromPEM, s.KeyFile, publicKey(s.Algorithms)
	default:
		f.kind, f.path, f.parse = fromHS256, s.HS256SecretFile, secret
	}
	if s.Issuer == c.Own {
		f.ours(c.OwnMaxAge)
	}
	if !filepath.IsAbs(f.path) {
		f.path = filepath.Join(c.Dir, f.path)
	}
	return f, f.load()
}

func (c Config) urlSource(base context.Context, s Spec) (*urlSource, error) {
	u, err := parseURL(s.JWKSURL)
	if err != nil {
		return nil, fmt.Errorf("jwks_url %w", err)
	}
	from := &urlSource{
		held: held{hardAge: c.HardAge, now: c.Now}, issuer: s.Issuer, url: u, algorithms: s.Algorithms, parse: jwks(s.Algorithms), base: base,
		client: c.Client, log: c.Log, changed: c.OnChange, refresh: c.Refresh, minRefetch: c.MinRefetch, missing: missing{life: 3 * c.MinRefetch},
	}
	if s.Issuer == c.Own {
		from.ours(c.OwnMaxAge)
		// Often enough that the set is not spent between two fetches, and not so
		// often that an issuer with second-long caches is worn out.
		half := max(c.OwnMaxAge/2, time.Second)
		from.refresh, from.minRefetch = min(c.Refresh, half), min(c.MinRefetch, half)
	}
	if c.Previous != nil {
		for _, p := range c.Previous.sources {
			if p, ok := p.(*urlSource); ok && p.issuer == s.Issuer && *p.url == *u && slices.Equal(p.algorithms, s.Algorithms) {
				from.adopt(p)
			}
		}
	}
	return from, nil
}

// first begins the first fetches and waits for those sets that are not there.
func (i *Issuers) first(ctx context.Context) error {
	bound := time.NewTimer(firstWait)
	defer bound.Stop()
	for _, s := range i.sources {
		if u, ok := s.(*urlSource); ok {
			u.whenDue()
		}
	}
	for _, s := range i.sources {
		u, ok := s.(*urlSource)
		if !ok || u.Set().Len() > 0 {
			continue
		}
		f, _ := u.whenDue()
		if f == nil {
			continue
		}
		select {
		case <-f.done:
		case <-bound.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Issuers returns the issuers as token.Verifier.Trust takes them, in the order of
// the file. None is marked as our own.
func (i *Issuers) Issuers() []token.Issuer {
	var all []token.Issuer
	for n, s := range i.sources {
		all = append(all, i.specs[n].trust(s))
	}
	return all
}

// Run keeps every set fresh until ctx ends or Close is called; then it returns
// nil. A source that fails is tried again, and its last good set stays in use.
func (i *Issuers) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, s := range i.sources {
		all.Go(func() { s.run(ctx) })
	}
	select {
	case <-ctx.Done():
	case <-i.base.Done():
	}
	all.Wait()
	return nil
}

// Refetch asks for the keys of an issuer at once, MinRefetch or not: for a hint
// from within the system that they changed, never for a token. It does not wait,
// and joins hints that come while a fetch is under way into one fetch after it.
// It reports whether the issuer's keys come from an address.
func (i *Issuers) Refetch(issuer string) bool {
	for n, s := range i.sources {
		if u, ok := s.(*urlSource); ok && i.specs[n].Issuer == issuer {
			u.refetch()
			return true
		}
	}
	return false
}

// Status returns how it stands with each issuer, in the order of the file.
func (i *Issuers) Status() []Status {
	var all []Status
	for _, s := range i.sources {
		all = append(all, s.status())
	}
	return all
}

// Close ends fetches and Run, and waits for the fetches. The sets that are held
// stay in use, so that requests which began with them end with them.
func (i *Issuers) Close() {
	i.cancel()
	for _, s := range i.sources {
		s.close()
	}
}
