// Package wire carries one plain HTTP/1.1 exchange with a back end on the
// caller's own goroutine, over connections that it keeps. net/http's transport
// hands each request to two goroutines of the connection and back, which costs
// more than everything else an edge does for it; this package serves the common
// case without that, and leaves the others to net/http.
//
// It knows nothing of targets, routes or tokens. It does no TLS: whether an idle
// TLS connection has something to say cannot be seen from outside.
//
// # What it sends
//
// A request with a body holds all of it before a connection is taken. Sending
// everything before the first look at the answer cannot lock up then, as it would
// with a back end that answers before it has read: what is sent fits into the
// socket's buffers, or the write ends at its deadline.
//
// # Whose answer it is
//
// Bytes that arrive on an idle connection belong to nobody. A request is written as
// soon as the kernel has said that there is nothing on its connection, and a connection
// is taken back only when the answer was framed to its end, nothing is left in the
// buffer, neither side said close, deadlines are cleared, and the caller's end of the
// request was called off before it began to act. Everything else closes it.
//
// # What it accepts
//
// Answers are read strictly, because a client reads them after us: one status
// line of HTTP/1.0 or 1.1, lines that end in CRLF, no folded lines, names and
// values of the characters that RFC 9110 allows, one Content-Length or one
// Transfer-Encoding which is chunked, never both. Up to five informational answers
// are passed over; 101 is an error, since nobody asked. An answer to HEAD, and
// 204 and 304, has no body whatever its header says (RFC 9112 section 6.3). A 204 that
// announces one costs its connection, on which that body may arrive late. Behind the other
// two, where announcing it is allowed, a connection rests for some milliseconds: a back end
// that sends the body all the same begins soon, and what comes closes it.
package wire
