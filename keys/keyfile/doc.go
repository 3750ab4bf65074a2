// Package keyfile reads and writes the files in which people hand keys about:
// PEM (PKCS #1, SEC 1, PKCS #8, encrypted PKCS #8) and JWK. It owns the forms
// and nothing else: whether a key may sign is decided in keys/ring, where a ring
// is kept in keys/keystore.
//
// It must not know a ring, Redis or the network, and it never puts what it read
// into an error: that may be a private key.
package keyfile
