// Package problem writes the bodies of answers that are not what the client asked
// for: the problem details of RFC 9457, as the admin API answers them, and the
// refusals in the shapes of SimpleJWT and drf-jwt, which the gateway and the issuer
// share.
//
// It decides nothing: whoever calls it has a verdict already, and has chosen what
// the client may read of it. It must not know Redis, keys or routes; of keys/token it
// knows the reasons of a refusal by their names.
package problem
