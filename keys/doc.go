// Package keys is the public half of everything about keys: the model of a
// verification key (one public key, one algorithm, one id), sets of them, their
// JWKS form in both directions, and the HTTP handler that publishes a set.
//
// It must not know Redis, Echo or private keys: whatever signs lives in
// keys/ring, whatever is kept lives in keys/keystore, files that people hand about
// are read by keys/keyfile, and key sets of other servers are fetched by keys/remote. jwx is imported by this package and the
// packages below it, nowhere else in the program, and only for single keys and
// single signatures.
//
// The life of a key, as keys/ring drives it:
//
//	generated, published
//	        |
//	        v
//	   +---------+   a pending key of every algorithm is always
//	   | pending |   published, so that verifiers know it before
//	   +---------+   it signs anything
//	        |   published for KEY_PREPUBLISH, and its turn has
//	        |   come (KEY_ROTATE_EVERY, by hand, or at once when
//	        |   the active key was revoked)
//	        v
//	   +---------+   signs; exactly one for each algorithm
//	   | active  |---------------------------+
//	   +---------+                           |
//	        |   its successor became active  |
//	        v                                |
//	   +---------+   private half wiped,     |  revoked, from any
//	   | retired |   still published until   |  of the three states
//	   +---------+   its last token has      |
//	        |        expired                 v
//	        v                           +---------+  out of the
//	      gone                          | revoked |  JWKS at once,
//	                                    +---------+  never again in
//
// A verifier of this program sees only the union of pending, active and
// retired: a Set.
package keys
