// Package issuer is the HTTP surface for people and programs that get tokens:
// log-in, refresh, verify, blacklist, logout, and the published keys. One
// endpoint stands in one file; the table of rows (rows.go) says for each which
// methods it takes, how large its body may be and how long it may take.
//
// The package composes users, sessions, revocations and the key ring. It decides
// nothing about a token string itself (keys/token does) and keeps nothing in
// Redis itself (session and users do). Its bodies are those of SimpleJWT
// and drf-jwt (compat.go), so that a front end written for either need only change
// its base URL.
package issuer
