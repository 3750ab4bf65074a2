// Package store keeps the issuer's small records in Redis: which index of which
// status list stands for which token.
//
// It owns their keys (status_names.go) and the scripts that change them. It must
// not know HTTP, sessions, users, how a token is signed, or what an index is worth.
package store
