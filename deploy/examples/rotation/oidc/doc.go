// Command oidc checks access tokens of tollgate with go-oidc, one on each line of
// its standard input. It knows nothing of tollgate but its address.
package main
