// Package store keeps the issuer's small records in Redis: the OAuth clients
// (names.go), the tokens of administrators and the audit log (admin_names.go), the ids
// that may come once, the answers that are kept for a repeated request
// (answer_names.go), and which index of which status list stands for which token
// (status_names.go). It also owns what the issuer's packages have in common about
// Redis: how long one request may wait for it.
//
// A client's secret is kept as a SHA-256 and nothing else is known of it. It is 256
// random bits that we made: a slow hash defends what people think up, and could not
// make these any harder to guess, while it would cost each request of a client what
// a log-in costs.
//
// An admin token is kept the same way. What a role may is not known here, nor what an
// action of the audit log does: it keeps words.
//
// The package knows no HTTP surface, no sessions and no users, nor how a token is
// signed or what an index is worth.
package store
