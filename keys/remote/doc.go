// Package remote holds the keys of other issuers, or of our own at an edge: it
// reads the file of trusted issuers, fetches their key sets over HTTP or from
// files, and keeps them fresh.
//
// What a request meets is one immutable snapshot behind an atomic pointer, so
// that a token whose key is at hand never waits for anything. A snapshot is
// replaced by a newer good one only: an issuer that is down, or that answers with
// garbage or with an empty set, leaves the last good set in use until it is
// [Config].HardAge old. After that it is used no more, since nobody can say which
// of its keys were withdrawn meanwhile.
//
//	due, or a kid that is not known                     good: replaces the
//	        |                                      +--> snapshot, forgets the
//	        v                                      |    kids that were missing
//	no fetch began within MinRefetch?  -->  fetch  |
//	        |  (one for all who wait)              +--> bad: the snapshot stays
//	        v                                           and ages, log and retry
//	what is held decides
//
// Two fetches of one issuer never begin within MinRefetch of each other, whatever
// tokens say. Only [Issuers.Refetch], for a hint that comes from within the
// system, goes past that.
//
// The package knows no Redis and no private keys, and looks into no token: of
// keys/token it takes only the form in which a verifier is told of an issuer. What
// becomes of a token whose issuer has no usable keys is decided there.
package remote
