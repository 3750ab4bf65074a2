package issuer

import (
	"errors"
	"time"

	"tollgate/issuer/store"
	"tollgate/keys"
	"tollgate/keys/token"
	"tollgate/revocation"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523 section 2.2
	// assertionLife is the longest life of an assertion: its jti is remembered that
	// long.
	assertionLife = 5 * time.Minute
)

// assertionCredentials reads whose assertion it is said to be. RFC 7521 section
// 4.2: the parameter client_id is not needed, the assertion's subject is the client.
func (i *Issuer) assertionCredentials(p params) (credentials, error) {
	if p.get("client_assertion_type") != assertionType || p.get("client_assertion") == "" {
		return credentials{}, badRequest(invalidRequest, "The client_assertion_type is not that of a JWT, or the client_assertion is missing.")
	}
	raw := p.get("client_assertion")
	said, err := token.Inspect(raw, i.MaxTokenBytes)
	if err != nil {
		return credentials{}, noClient()
	}
	return credentials{id: said.Text("sub"), assertion: raw}, nil
}

// assertionHolds checks an assertion by RFC 7523 section 3, with the code that
// checks every token: the client is an issuer of its own, whose keys vouch for it
// alone. Its issuer and subject are the client, it is meant for the token endpoint
// or for us, it lives minutes, and its jti comes once.
func (i *Issuer) assertionHolds(c *call, client *store.Client, raw string) (bool, error) {
	if client == nil || client.JWKS == nil {
		return false, nil
	}
	set, _ := keys.ParseJWKS(client.JWKS, nil) // each key was good when it was taken
	verifier, err := token.New(token.Config{
		Leeway: i.Leeway, MaxBytes: i.MaxTokenBytes, Now: i.Now,
		Issuers: []token.Issuer{{
			Name: client.ID, Keys: token.NewStaticKeys(set), Audiences: i.assertionAudiences(),
			Types: []string{"jwt", "client-authentication+jwt"}, MaxLifetime: map[string]time.Duration{"": assertionLife},
			Legacy: token.Legacy{NoKID: true},
		}},
	})
	if err != nil {
		return false, err
	}
	id, err := verifier.Authenticate(c.r.Context(), raw, &token.Policy{}, i.Revocations)
	if refused, ok := errors.AsType[*token.Refusal](err); ok {
		c.record.Error = "client assertion: " + string(refused.Fault)
		if refused.Reason == token.ReasonUnavailable {
			return false, errors.Join(revocation.ErrUnavailable, refused)
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if id.Subject != client.ID {
		return false, nil
	}
	// Last: what is refused for another reason must not use the jti up.
	return i.Clients.Once(c.r.Context(), "assertion\x00"+client.ID, id.JTI, id.Deadline().Sub(i.Now())+time.Second)
}

func (i *Issuer) assertionAudiences() []string {
	out := []string{i.Claims.Issuer}
	if base := i.base(); base != "" {
		out = append(out, base+tokenPath)
	}
	return out
}
