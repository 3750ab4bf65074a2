// Package admin is the control plane: the admin API on a listener of its own,
// on loopback by default. It revokes and undoes, lists and ends sessions, turns
// the key ring, keeps users and clients, and issues and explains tokens.
//
// Every row is described in openapi.yaml, and every request and answer of the suites is
// compared with it. A POST with an idempotency key is done once (idempotency.go).
//
// Every row passes the same authorisation, and no token of a user opens any of
// them. What changes something is written into the audit log before it is done, in the
// function that also decides whether the role may (run in deed.go): without its line
// it does not happen. The package decides nothing about tokens and stores nothing itself; its
// errors are problems as in RFC 9457, and no error of a library reaches a client.
package admin
