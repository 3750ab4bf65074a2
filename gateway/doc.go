// Package gateway is the data plane: it matches a request to a route, takes its
// credential, has it authenticated, tells the back end who is calling, and
// proxies. Each step goes forward only; a refusal leaves the line where it
// arises, with its reason:
//
//	path → route → strip → credential → authenticate → identity → proxy
//
// The same steps without the last answer the question of another proxy
// (forwardauth.go). A stream that stays open (WebSocket, SSE, gRPC) is watched for as
// long as it lasts, and closed when its token is revoked or over (streams.go).
//
// The package decides by the route's policy and translates refusals into HTTP.
// It never signs: it imports neither issuer, keys/ring nor keys/keystore, so an
// edge cannot mint a token, not even by mistake. It reads no environment.
package gateway
