// Package users knows who may log in: it keeps user records, checks passwords,
// and answers with a User or with one refusal that does not tell why.
//
// It owns the user records in Redis (names.go lists every key), the password
// hashes in them, and the memory that hashing may take at once. A hash never
// leaves the package: User has no field for it, and no error or String carries a
// password or a hash.
//
// There are three directories: Redis, whose users the admin API changes; File, read
// again when it changes; and HTTP, which asks an existing back end and keeps of its
// users what a refresh needs.
//
// It must not know sessions, tokens or the HTTP surface of the issuer. Ending a
// user's sessions after a new password or a disabled account is its caller's work:
// Patch.EndsSessions, Imported.EndSessions and FileConfig.Ended say when. The caller
// takes a session's birth before it calls Authenticate and writes the cut-off after
// a change has returned; a log-in that straddles the change then never survives.
//
// # Hashes
//
// New passwords are argon2id. Hashes that came from Django or an htpasswd file are
// checked as they are (stored.go) and, in Redis, made anew at the next log-in. All
// wait for the same slots, and every refusal in a directory takes the same work,
// whoever it is about (cost.go).
//
// # How a user comes to be
//
// The record and the name of a user lie in different slots of a Redis Cluster, so
// no script can write both. A creation takes these steps, each on one key:
//
//  1. claim the id: the whole record, with a nonce and a life of one minute
//  2. claim the name: it points to the id and repeats the nonce
//  3. claim the e-mail address likewise, if there is one
//  4. enter the name into the list
//  5. confirm the record: it loses its end of life, and the user exists
//
// A creation that dies before the last step leaves a record that expires by
// itself and a name that points to nothing: whoever wants that name takes it over.
package users
