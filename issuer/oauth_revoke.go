package issuer

import (
	"net/http"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/store"
	"tollgate/keys/token"
)

// revoke is RFC 7009. A token that was issued to a client is that client's to
// revoke; one of a log-in was issued to nobody but its holder, who proves by having
// it. What is no token of ours, or over already, needs no revoking: 200.
func (i *Issuer) revoke(c *call) error {
	p, err := c.readParams()
	if err != nil {
		return err
	}
	client, err := i.authenticateClient(c, p)
	if err != nil {
		return err
	}
	raw := p.get("token")
	if raw == "" {
		return badRequest(invalidRequest, "The parameter token is missing.")
	}
	// The hint is not needed: the token says what it is (section 2.1).
	id, refused, err := i.inspect(c, raw, accessType, refreshType, slidingType)
	if err != nil {
		return err
	}
	if id == nil && refused.Reason == token.ReasonNotYetValid {
		id = refused.Token // it will be valid
	}
	if id == nil {
		return c.reply(http.StatusOK, struct{}{})
	}
	i.noteToken(c, id)
	if err := mayRevoke(client, id); err != nil {
		return err
	}
	switch {
	case id.TokenType == refreshType:
		err = i.revokeRefresh(c, id)
	case id.TokenType == slidingType, id.Has(origIATClaim), id.JTI == "":
		// A sliding token and one of drf-jwt's line are refreshed by themselves: what is
		// handed out for them later has to end, too. One without jti has no other name.
		err = i.end(c, id, telemetry.SourceOAuth)
	default:
		err = i.revokeAccess(c, id, client)
	}
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, struct{}{})
}

// mayRevoke is section 2.1: whether the token was issued to the client that asks.
func mayRevoke(client *store.Client, id *token.Identity) error {
	owner, owned := id.Text("client_id")
	switch {
	case !owned:
		return nil
	case client == nil:
		return noClient()
	case client.ID != owner:
		return badRequest(unauthorizedClient, "The token was issued to another client.")
	}
	return nil
}

// revokeRefresh ends the session, and with it its access tokens (section 2.1). A
// token that was spent before is none any more: ending the session it once belonged
// to would let whoever finds an old one log its user out.
func (i *Issuer) revokeRefresh(c *call, id *token.Identity) error {
	state, err := i.peek(c, id)
	if err != nil {
		return err
	}
	if state != session.Current && state != session.Previous {
		return nil
	}
	return i.end(c, id, telemetry.SourceOAuth)
}

func (i *Issuer) revokeAccess(c *call, id *token.Identity, client *store.Client) error {
	who := actor(id)
	if client != nil {
		who = "client:" + client.ID
	}
	if err := i.revokeOne(c.r.Context(), id, telemetry.SourceOAuth, who); err != nil {
		return err
	}
	l := by(store.Line{Action: "token.revoke", Kind: "jti", Target: id.JTI, Detail: telemetry.SourceOAuth}, id)
	if id.JTI == "" {
		l.Kind = "token"
	}
	l.Actor = who
	i.note(c, l)
	return nil
}
