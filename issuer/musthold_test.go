package issuer_test

import (
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
)

// Reserved claims are the issuer's, whatever is configured beside them (names in
// another case are refused where the configuration is read), and a refresh is one
// step: one successor, and reuse ends the session (APISIX's jwt sign, ZITADEL
// CVE-2024-29892).
func TestMustHold24_ReservedClaimsAndOneSuccessor(t *testing.T) {
	reserved := []string{"iss", "sub", "aud", "exp", "iat", "jti", "sid", "token_type", "user_id"}
	k := opened(t, issuerkit.Options{Audience: []string{"shop"}, Issuer: func(c *issuer.Config) {
		for _, name := range reserved {
			c.Claims.Custom = append(c.Claims.Custom, issuer.CustomClaim{Claim: name, Attribute: "email"})
		}
	}})
	pair := k.MustLogin(t, "alice")
	for kind, raw := range map[string]string{"access": pair.Access, "refresh": pair.Refresh} {
		claims := issuerkit.Claims(t, raw)
		for _, name := range reserved {
			if claims[name] == nil || claims[name] == "alice@example.com" {
				t.Errorf("%s token: %s is %v", kind, name, claims[name])
			}
		}
		if claims["sub"] != "1" || claims["token_type"] != kind || claims["iss"] != issuerkit.Issuer {
			t.Errorf("%s token: %v", kind, claims)
		}
	}
	t.Run("one successor", TestParallelRefresh)
	t.Run("reuse ends the session", TestRotation)
}
