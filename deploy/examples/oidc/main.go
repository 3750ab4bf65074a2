package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	client := flag.String("client", "", "get a token as this client (its secret is CLIENT_SECRET) instead of reading one")
	scope := flag.String("scope", "", "scopes to ask for, separated by blanks")
	flag.Parse()
	if flag.NArg() < 2 {
		fmt.Fprintln(os.Stderr, "usage: oidc [-client ID] [-scope SCOPES] ISSUER AUDIENCE < token")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := run(ctx, flag.Arg(0), flag.Arg(1), *client, strings.Fields(*scope)); err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		cancel()
		os.Exit(1)
	}
}

func run(ctx context.Context, issuer, audience, client string, scopes []string) error {
	// Discovery: the issuer in the document must be the one that was asked.
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return fmt.Errorf("discover: %w", err)
	}
	raw, err := token(ctx, provider, client, scopes)
	if err != nil {
		return err
	}
	// The algorithms are those of the document, never what the token asks for.
	verified, err := provider.Verifier(&oidc.Config{ClientID: audience}).Verify(ctx, raw)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	var claims map[string]any
	if err := verified.Claims(&claims); err != nil {
		return fmt.Errorf("read the claims: %w", err)
	}
	if claims["token_type"] != "access" { // a refresh token has the same signer
		return errors.New("the token_type is not access")
	}
	return json.NewEncoder(os.Stdout).Encode(claims)
}

// token reads one from standard input, or gets one at the endpoint that was found.
func token(ctx context.Context, provider *oidc.Provider, client string, scopes []string) (string, error) {
	if client == "" {
		raw, err := io.ReadAll(io.LimitReader(os.Stdin, 64<<10))
		if err != nil {
			return "", fmt.Errorf("read the token: %w", err)
		}
		return strings.TrimSpace(string(raw)), nil
	}
	c := clientcredentials.Config{
		ClientID: client, ClientSecret: os.Getenv("CLIENT_SECRET"), //nolint:forbidigo // a program of its own
		TokenURL: provider.Endpoint().TokenURL, Scopes: scopes,
	}
	got, err := c.Token(ctx)
	if err != nil {
		return "", fmt.Errorf("get a token: %w", err)
	}
	return got.AccessToken, nil
}
