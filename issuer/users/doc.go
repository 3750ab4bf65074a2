// Package users knows who may log in: it keeps user records, checks passwords,
// and answers with a User or with one refusal that does not tell why.
//
// It owns the user records in Redis (names.go lists every key), the password
// hashes in them, and the memory that hashing may take at once. A hash never
// leaves the package: User has no field for it, and no error or String carries a
// password or a hash.
//
// It must not know sessions, tokens or HTTP. Ending a user's sessions after a new
// password or a disabled account is its caller's work.
//
// # How a user comes to be
//
// The record and the name of a user lie in different slots of a Redis Cluster, so
// no script can write both. A creation takes four steps, each on one key:
//
//  1. claim the id: the whole record, with a nonce and a life of one minute
//  2. claim the name: it points to the id and repeats the nonce
//  3. enter the name into the list
//  4. confirm the record: it loses its end of life, and the user exists
//
// A creation that dies before the last step leaves a record that expires by
// itself and a name that points to nothing: whoever wants that name takes it over.
package users
