// Package ring is the private half of everything about keys: it makes them,
// moves them through their life (drawn in package keys), signs with them, and
// runs the loop that rotates them.
//
// A Ring is a value. Its transitions are pure functions of the ring, the time
// and the settings, and each returns a new ring; so several instances can try
// the same step and let a compare-and-swap in the Store decide which of them did
// it. "Another instance did it" is a normal outcome. The Manager drives the
// transitions, holds the current ring as an immutable snapshot, and signs only
// while that snapshot is known to be the store's.
//
// The rules that every step keeps, and that Ring.Validate checks:
//
//   - a key's state only moves forward: pending, active, retired, gone; revoked
//     from any of them, for good;
//   - an algorithm has at most one active and one pending key, and each
//     configured one has a pending key after every Advance;
//   - a key signs only after it was published for Settings.Prepublish, but for
//     the first keys of an empty ring, the successor of a revoked key, an import as
//     active and a rotation by force; by itself it takes over only when also a set
//     that was ServedAge old when it was fetched is out of use, and every live edge
//     has the set (Config.Ready);
//   - a retired key is published until the last token that it signed is dead, by
//     the settings under which it was signed, and has no private half;
//   - a set is never longer than verifiers read (keys.MaxKeys), and no key is moved
//     by a clock that the store's contradicts;
//   - the version only rises. A store that was rolled back or emptied is given
//     the ring back, and what was revoked stays revoked.
//
// A key's private half is in the ring (InProcess) or with an external Signer, of
// which the ring knows a reference.
//
// It must not know where a ring is kept (keys/keystore), what Redis is, what a
// claim is, or who asks for a signature.
package ring
