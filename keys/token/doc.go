// Package token is the only way from a token string to an identity.
//
// It owns the strict parse of a compact JWS, the choice of the key, the checks
// of claims and policy, the question to the revocation store, and the closed
// set of reasons for a refusal. [Verifier.Authenticate] is the one function
// behind the proxy, forward-auth, verify, introspection, refresh, logout,
// impersonation and explain: whoever has a token string and wants to know whose it
// is calls it.
//
// The order is fixed, and each step goes forward only:
//
//	at most MaxBytes → three segments of canonical base64url → header →
//	issuer (a hint, until the signature holds) → key → algorithm → signature →
//	form of the claims → times → audience → type → revoked? → scope
//
// The package knows nothing of HTTP, of Redis or of private keys. It reports a
// [Refusal]; the packages with an HTTP surface translate it.
package token
