package main

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"github.com/coreos/go-oidc/v3/oidc"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: oidc ISSUER AUDIENCE JWKS_URL < tokens")
		os.Exit(2)
	}
	issuer, audience, jwks := os.Args[1], os.Args[2], os.Args[3]
	ctx := context.Background()
	// A service makes both once and keeps them: the keys are fetched anew when a
	// token names one that is not known.
	verifier := oidc.NewVerifier(issuer, oidc.NewRemoteKeySet(ctx, jwks), &oidc.Config{
		ClientID: audience, SupportedSigningAlgs: []string{"ES256", "RS256", "EdDSA"}, // never what the token asks for
	})
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Printf("{\"verdict\": %q}\n", verdict(ctx, verifier, lines.Text()))
	}
}

func verdict(ctx context.Context, verifier *oidc.IDTokenVerifier, raw string) string {
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		return "refused: " + err.Error()
	}
	var claims struct {
		Type string `json:"token_type"`
	}
	// A refresh token has the same signer and audience, and opens nothing.
	if err := token.Claims(&claims); err != nil || claims.Type != "access" {
		return "refused: not an access token"
	}
	return "ok"
}
