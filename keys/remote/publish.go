package remote

import (
	"encoding/base64"
	"sync"
	"time"

	"tollgate/keys"
)

// publication is what an edge publishes of our own issuer's keys. The zero value
// publishes nothing.
type publication struct {
	limit time.Duration // of max-age; 0: nothing is published

	mu        sync.Mutex           // guards what follows
	withdrawn map[string]time.Time // kid: when it was heard that it is revoked
	shown     shown
}

// shown is a set without the keys that were withdrawn, made once for each.
type shown struct {
	from      *keys.Set
	withdrawn int // how many there were
	set       *keys.Set
}

// Published returns the key set of an issuer for keys.Handler, or nil when it must
// not be handed out: it is not Config.Own, there is none, its max-age is spent, or
// it was fetched before one of its keys was withdrawn. The max-age is what the
// issuer gave less the time since.
func (i *Issuers) Published(issuer string) *keys.Published {
	for n, s := range i.sources {
		if i.specs[n].Issuer == issuer {
			return s.published()
		}
	}
	return nil
}

// Withdraw says that a key of an issuer was revoked: it is not published any more,
// and a set that was fetched before is not either. It fetches at once, and reports
// whether it knows the issuer. Whether tokens of the key are refused is decided
// elsewhere.
func (i *Issuers) Withdraw(issuer, kid string) bool {
	for n, s := range i.sources {
		if i.specs[n].Issuer == issuer {
			s.withdraw(kid)
			i.Refetch(issuer)
			return true
		}
	}
	return false
}

// SetHash names the document that the keys of an issuer were read from, as
// keys.DocumentHash does; "" when there is none.
func (i *Issuers) SetHash(issuer string) string {
	for n, s := range i.sources {
		if i.specs[n].Issuer == issuer {
			return s.hash()
		}
	}
	return ""
}

// published is Published for what is held.
func (h *held) published() *keys.Published {
	if h.publisher == nil {
		return nil
	}
	return h.publisher.Current()
}

// publishable returns the set to be handed out, and how long it may be kept.
func (h *held) publishable() (*keys.Set, time.Duration) {
	s := h.current.Load()
	if s == nil || h.publication.limit == 0 {
		return nil, -1
	}
	left := min(h.publication.limit, s.maxAge) - age(s.seen, h.now())
	if left <= 0 {
		return nil, -1
	}
	set := h.publication.show(s)
	if set == nil {
		return nil, -1
	}
	return set, left
}

// show returns the set of a snapshot without the keys that were withdrawn, or nil
// when the issuer may not have known of that yet.
func (p *publication) show(s *snapshot) *keys.Set {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown.from == s.all && p.shown.withdrawn == len(p.withdrawn) {
		return p.shown.set
	}
	var kept []*keys.Key
	for _, k := range s.all.Keys() {
		at, gone := p.withdrawn[k.ID()]
		if gone && !s.seen.After(at) {
			return nil
		}
		if !gone {
			kept = append(kept, k)
		}
	}
	set, err := keys.NewSet(kept...)
	if err != nil { // the ids are those of a set
		return nil
	}
	if len(kept) == s.all.Len() {
		set = s.all
	}
	p.shown = shown{from: s.all, withdrawn: len(p.withdrawn), set: set}
	return set
}

// maxWithdrawn bounds the memory; an issuer revokes a handful of keys in its life.
const maxWithdrawn = 1024

func (h *held) withdraw(kid string) {
	p := &h.publication
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.withdrawn == nil {
		p.withdrawn = make(map[string]time.Time)
	}
	if _, known := p.withdrawn[kid]; !known && len(p.withdrawn) < maxWithdrawn {
		p.withdrawn[kid] = h.now()
		p.shown = shown{}
	}
}

func (h *held) hash() string {
	s := h.current.Load()
	if s == nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(s.digest[:16])
}

// keep takes over what was withdrawn from an earlier source of the same keys.
func (p *publication) keep(from *publication) {
	from.mu.Lock()
	defer from.mu.Unlock()
	for kid, at := range from.withdrawn {
		if p.withdrawn == nil {
			p.withdrawn = make(map[string]time.Time)
		}
		p.withdrawn[kid] = at
	}
}
