// Package store keeps the issuer's small records in Redis (which index of which
// status list stands for which token), and has what the issuer's packages share about
// Redis: how long one request may wait for it.
//
// It owns their keys (status_names.go) and the scripts that change them. It must
// not know HTTP, sessions, users, how a token is signed, or what an index is worth.
package store
