// Package statuslist tells verifiers that have our keys, but no mirror of what is
// revoked, whether a token still counts. It owns two signed documents:
//
//   - status lists (draft-ietf-oauth-status-list): each access token names a list and
//     an index in it; the bit there is 1 when the token is not to be accepted;
//   - the revocations themselves, in pages that can be resumed.
//
// Both are made from a [Ledger], this process's memory of the feed. When it is not
// level, or older than two seconds, there is no document: no answer is better than
// an old one.
//
// # What a bit says
//
// 1 (INVALID) for what a check would call revoked: by its jti, session or key, or by
// a cut-off of its subject or of the issuer; and for a token of which the store
// cannot tell. 0 (VALID) otherwise, also for an index that no token has.
//
// # How old a bit may be
//
// The ledger is at most 2 s behind, a list is built anew when it is older than 3 s,
// and a verifier may keep it for its ttl, 10 s: 15 s in all. A verifier that cannot
// get a newer one has to stop at exp, a minute after iat.
//
// # Which list
//
// A list's name is <epoch>-<seconds>-<window>-<number>: the beginning of the id of
// the store's epoch, the length of a window, which window since 1970 the token was
// issued in, and a number that rises when a window's list is full. A list is dropped
// when its last token has expired. When the store has lost something its epoch
// changes; entries of lists may be among it, so lists of an earlier epoch are not
// served any more. The issuer's tokens are then only known to the edges until they
// are refreshed.
//
// It must not know HTTP, Redis, users, or how a key is kept. Which index a token has
// is kept by issuer/store.
package statuslist
