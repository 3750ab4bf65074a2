// Package issuer is the HTTP surface for people and programs that get tokens:
// log-in, refresh, sliding tokens, verify, blacklist, logout, the caller's own
// password and sessions, the OAuth endpoints for programs (oauth_*.go), the published
// keys with the metadata that lead there and, where asked for, the documents of
// statuslist. One endpoint stands in one file; the table of rows (rows.go,
// account_rows.go) says for each which methods it takes, how large its body may be and
// how long it may take.
//
// The package composes users, sessions, revocations and the key ring. It decides
// nothing about a token string itself (keys/token does) and keeps nothing in
// Redis itself (session, users and store do). Its bodies are those of SimpleJWT and
// drf-jwt (compat.go), so that a front end written for either need only change its
// base URL; below /oauth/ they are those of the RFCs.
package issuer
