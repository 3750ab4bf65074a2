// Command oidc is a program that knows tollgate by its issuer alone: it finds the
// endpoints by discovery, gets a token with its client secret, and checks one as a
// service would that is called with it. It shows other people's libraries at work
// and knows nothing of tollgate's.
package main
