package keys

import (
	"sync/atomic"
	"time"
)

// Publisher turns a set that changes now and then into what Handler serves; it
// writes the document once for each set, not for each request. It is safe for
// concurrent use.
type Publisher struct {
	source func() (set *Set, maxAge time.Duration)
	last   atomic.Pointer[publishedSet]
}

type publishedSet struct {
	set *Set
	doc *Published
}

// NewPublisher publishes what source returns: a set, always the same one while it
// has not changed, and how long it may be kept from now on; negative when it must
// not be handed out.
func NewPublisher(source func() (set *Set, maxAge time.Duration)) *Publisher {
	return &Publisher{source: source}
}

// Current returns the document, or nil when there is nothing that may be served.
func (p *Publisher) Current() *Published {
	set, maxAge := p.source()
	if set.Len() == 0 || maxAge < 0 {
		return nil
	}
	last := p.last.Load()
	if last == nil || last.set != set {
		doc, err := Publish(set, 0)
		if err != nil { // a set that was made of keys always encodes
			return nil
		}
		last = &publishedSet{set, doc}
		p.last.Store(last)
	}
	doc := *last.doc
	doc.MaxAge = maxAge
	return &doc
}
