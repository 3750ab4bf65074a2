// Package http1 answers the ordinary requests of HTTP/1.1 connections, each on the
// connection's own goroutine. net/http's server starts a second goroutine for every
// request, moves four deadlines and copies the header twice; this package does
// without, and leaves to net/http whatever is not ordinary.
//
// It knows nothing of TLS, of routes or of what the handler does. It must not become
// a second opinion on HTTP: what it takes is a part of what net/http takes, and the
// handler is given the same [http.Request] for it, which the tests hold against
// [http.ReadRequest].
//
// # What is ordinary
//
// A head that is whole within 8 KiB, made of lines that end in CRLF, of printable
// ASCII alone: one of the seven methods that read and write, a target that begins
// with a slash, HTTP/1.1, one Host of the characters that hosts are made of; no
// Transfer-Encoding, Trailer, Expect, TE, Upgrade or HTTP2-Settings, and no other
// Connection than keep-alive. A body has one Content-Length of at most 64 KiB.
//
// The first request that is anything else, malformed ones included, goes to net/http
// with the connection and with every byte of it, for good: there is one reader who
// refuses, and it is not this one.
//
// # What a handler finds
//
// What net/http's server gives it, but for [http.Hijacker]: an upgrade is not
// ordinary. The context of a request ends with its handler, and when the client
// leaves; that is noticed once a request has taken a moment (50 ms), since most
// have been answered by then.
package http1
