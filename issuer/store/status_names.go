package store

// Redis keys of the status lists. Both share the hash tag of the list's name, so
// that lists spread over a cluster and one script on one slot sees all of a list.
//
//	<prefix>status:{<list>}:index  HASH  by index, what it remembers (StatusEntry);
//	                                     "torn" is set once entries were lost
//	<prefix>status:{<list>}:order  LIST  the indexes as they were written, the same
//	                                     one again when its entry was changed
//
// TTL of both: until the last token of the list expires, plus leeway.
type statusNames struct{ prefix string }

func (n statusNames) keys(list string) []string {
	base := n.prefix + "status:{" + list + "}:"
	return []string{base + "index", base + "order"}
}
