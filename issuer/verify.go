package issuer

import (
	"net/http"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/keys/token"
)

// verify says whether a token of any type is valid. It spends nothing: a refresh
// token that is verified has not been used.
func (i *Issuer) verify(c *call) error {
	body, err := c.readFields()
	if err != nil {
		return err
	}
	raw, err := body.texts("token")
	if err != nil {
		return err
	}
	id, refused, err := i.check(c, raw[0], accessType, refreshType, slidingType)
	if refused != nil && refused.Reason == token.ReasonRevoked {
		return blacklistedHere()
	}
	if err != nil {
		return err
	}
	if id.TokenType == refreshType {
		state, err := i.peek(c, id)
		if err != nil {
			return err
		}
		switch state {
		case session.Current:
		case session.Lost:
			return notValid(token.ReasonRevoked, invalid)
		default:
			return blacklistedHere()
		}
	}
	c.record.Decision = telemetry.Allow
	return c.reply(http.StatusOK, struct{}{})
}

// blacklistedHere is the one 400 among the 401s: a ValidationError in SimpleJWT.
func blacklistedHere() error {
	f := nonField(blacklisted)
	f.reason = token.ReasonRevoked
	return f
}

func (i *Issuer) peek(c *call, id *token.Identity) (session.State, error) {
	generation, ok := id.Number(generationClaim)
	if !ok || id.SID == "" {
		return session.Lost, nil
	}
	return i.Sessions.Peek(c.r.Context(), id.SID, int64(generation), id.JTI)
}
