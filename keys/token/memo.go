package token

// memo is something that was made of an identity, by one of its users.
type memo struct {
	owner, value any
	next         *memo
}

// maxMemos bounds what one identity carries: a route that comes and goes with each
// reload must not let it grow.
const maxMemos = 8

// Memo returns what build makes of the identity, and keeps it beside the identity,
// so that a remembered token does not make it again. Owner names the maker and must
// be comparable; a pointer to its settings is one. What build returns must not
// depend on anything but the identity and the owner, and must not be changed.
func (id *Identity) Memo(owner any, build func(*Identity) any) any {
	head, n := id.memos.Load(), 0
	for m := head; m != nil; m = m.next {
		if m.owner == owner {
			return m.value
		}
		n++
	}
	next := &memo{owner: owner, value: build(id), next: head}
	if n >= maxMemos {
		next.next = nil
	}
	// Whoever loses the race has made it for itself alone.
	id.memos.CompareAndSwap(head, next)
	return next.value
}
