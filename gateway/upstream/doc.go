// Package upstream sends requests to the back ends behind the edge: it chooses
// one of several, keeps the connections to them, knows which are out, and holds
// the number of requests in flight within a bound. Plain HTTP/1.1 is spoken by
// package wire, everything else by net/http. It knows nothing of routes, tokens or
// answers to clients, and imports nothing of ours but wire; whoever calls it turns
// its errors into statuses.
//
// # What is out
//
// A target is out while active checks find it unhealthy, or for a while after
// EjectAfter failures in a row. What counts as a failure is that no connection
// could be made, that a fresh connection ended before the first byte of an answer
// though the whole request had been sent, or that the caller's wait for an answer
// was over (ErrTimeout) while nobody waited for the client. What a client can
// bring about on its own (a request given up, a body that stalls or is malformed) does not
// count, nor does any status: an upstream that answers is there. When all targets
// are out, all are tried.
//
// # What is sent twice
//
// Where no connection was made nothing was sent: whatever the method, a request
// whose body nobody has begun to read goes to the other targets in turn, each
// once.
//
// GET, HEAD and OPTIONS without a body are sent once more, to another target where
// there is one, when a connection that had served before ended with not one byte
// of the answer. net/http would repeat such requests as often as it finds
// connections, and POST too when it carries an Idempotency-Key; it is stopped after
// the first sending. On HTTP/2 it still sends a stream again that the peer refused
// unprocessed (RFC 9113 section 8.7).
//
// # Whose answer it is
//
// Bytes that arrive on an idle HTTP/1 connection belong to nobody. A connection
// is used again only when its reader waits in the kernel and the kernel has
// nothing for it, so that whatever came early ends the connection instead of
// becoming the next client's answer. The same look finds connections that the
// upstream closed in the meantime: another is taken, whatever the method, since
// nothing had been sent.
package upstream
