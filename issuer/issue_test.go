package issuer_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
)

// TestIssue: what an operator may have signed.
func TestIssue(t *testing.T) {
	var i *issuer.Issuer
	k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) {
		c.Claims.Custom = []issuer.CustomClaim{{Claim: "mail", Attribute: "email"}, {Claim: "staff", Attribute: "is_staff"}}
		var err error
		if i, err = issuer.New(*c); err != nil {
			t.Fatal(err)
		}
	}})
	client := mustClient(t, k, store.Client{ID: "c", Scopes: []string{"a"}, AccessTTL: time.Minute})
	mustClient(t, k, store.Client{ID: "off", Disabled: true})
	for name, row := range map[string]struct {
		order  issuer.Order
		claims []string // beside those that every token has
		life   time.Duration
		err    error
	}{
		"user":           {issuer.Order{Subject: "1"}, []string{"mail", "staff", "user_id"}, 5 * time.Minute, nil},
		"short":          {issuer.Order{Subject: "1", TTL: time.Second}, []string{"mail", "staff", "user_id"}, time.Second, nil},
		"some claims":    {issuer.Order{Subject: "1", Claims: []string{"mail"}}, []string{"mail"}, 5 * time.Minute, nil},
		"no claims":      {issuer.Order{Subject: "1", Claims: []string{}, Scope: []string{"x", "y"}, Audience: []string{"z"}}, []string{"aud", "scope"}, 5 * time.Minute, nil},
		"client":         {issuer.Order{Client: "c"}, []string{"client_id", "scope"}, time.Minute, nil},
		"nobody":         {issuer.Order{}, nil, 0, issuer.ErrOrder},
		"both":           {issuer.Order{Subject: "1", Client: "c"}, nil, 0, issuer.ErrOrder},
		"unknown user":   {issuer.Order{Subject: "9"}, nil, 0, users.ErrNotFound},
		"unknown client": {issuer.Order{Client: "9"}, nil, 0, store.ErrNotFound},
		"disabled":       {issuer.Order{Client: "off"}, nil, 0, issuer.ErrOrder},
		"too long":       {issuer.Order{Subject: "1", TTL: time.Hour}, nil, 0, issuer.ErrOrder},
		"client's life":  {issuer.Order{Client: "c", TTL: 2 * time.Minute}, nil, 0, issuer.ErrOrder},
		"another claim":  {issuer.Order{Subject: "1", Claims: []string{"sub"}}, nil, 0, issuer.ErrOrder},
		"another scope":  {issuer.Order{Client: "c", Scope: []string{"b"}}, nil, 0, issuer.ErrOrder},
		"huge audience":  {issuer.Order{Subject: "1", Audience: []string{strings.Repeat("x", 9000)}}, nil, 0, issuer.ErrOrder},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := i.Issue(t.Context(), row.order)
			if row.err != nil {
				if !strings.HasPrefix(errText(err), row.err.Error()) {
					t.Errorf("%v, want %v", err, row.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if life := got.ExpiresAt.Sub(k.Now()); life != row.life || !active(t, k, client, got.Token) {
				t.Errorf("life %s", life)
			}
			var names []string
			for claim := range issuerkit.Claims(t, got.Token) {
				if !slices.Contains([]string{"iss", "sub", "sid", "jti", "iat", "exp", "token_type"}, claim) {
					names = append(names, claim)
				}
			}
			if slices.Sort(names); !slices.Equal(names, row.claims) {
				t.Errorf("claims %v, want %v", names, row.claims)
			}
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
