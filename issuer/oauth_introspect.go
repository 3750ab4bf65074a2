package issuer

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"tollgate/issuer/session"
	"tollgate/issuer/users"
	"tollgate/keys/token"
)

// introspection is RFC 7662 section 2.2. A token that is not active is that and
// nothing else: why is not told.
type introspection struct {
	Active   bool            `json:"active"`
	Scope    string          `json:"scope,omitempty"`
	ClientID string          `json:"client_id,omitempty"`
	Username string          `json:"username,omitempty"`
	Type     string          `json:"token_type,omitempty"`
	Expires  int64           `json:"exp,omitempty"`
	Issued   int64           `json:"iat,omitempty"`
	Subject  string          `json:"sub,omitempty"`
	Audience any             `json:"aud,omitempty"`
	Issuer   string          `json:"iss,omitempty"`
	ID       string          `json:"jti,omitempty"`
	Actor    json.RawMessage `json:"act,omitempty"` // RFC 8693 section 4.1
}

// Types of introspection's answers: RFC 6749 section 5.1, and RFC 8693 section
// 2.2.1 for what is no access token, so that nobody takes a refresh token for one.
const (
	typeBearer        = "Bearer"
	typeNotApplicable = "N_A"
)

// introspect is RFC 7662, for clients alone (section 2.1: to keep others from trying
// tokens out), those that were not denied it. Active is what Authenticate accepts and, for a refresh token, what
// would be rotated; nobody can say: 503.
func (i *Issuer) introspect(c *call) error {
	p, err := c.readParams()
	if err != nil {
		return err
	}
	client, err := i.needClient(c, p)
	if err != nil {
		return err
	}
	if client.NoIntrospection {
		return badRequest(unauthorizedClient, "The client may not introspect tokens.")
	}
	raw := p.get("token")
	if raw == "" {
		return badRequest(invalidRequest, "The parameter token is missing.")
	}
	id, _, err := i.inspect(c, raw, accessType, refreshType)
	if err != nil {
		return err
	}
	if id != nil && id.TokenType == refreshType {
		state, err := i.peek(c, id)
		if err != nil {
			return err
		}
		if state != session.Current {
			id = nil
		}
	}
	if id == nil {
		return c.reply(http.StatusOK, introspection{})
	}
	i.noteToken(c, id)
	return c.reply(http.StatusOK, i.tellOf(c, id))
}

func (i *Issuer) tellOf(c *call, id *token.Identity) introspection {
	out := introspection{
		Active: true, Scope: strings.Join(id.Scopes(), " "), Type: typeBearer, Expires: id.ExpiresAt.Unix(), Issued: id.IssuedAt.Unix(),
		Subject: id.Subject, Issuer: id.Issuer, ID: id.JTI,
	}
	if id.TokenType == refreshType {
		out.Type = typeNotApplicable
	}
	out.ClientID, _ = id.Text("client_id")
	out.Actor, _ = id.Raw("act")
	switch aud := id.Audience(); len(aud) {
	case 0:
	case 1:
		out.Audience = aud[0]
	default:
		out.Audience = aud
	}
	if out.ClientID == id.Subject {
		return out // a client's own: there is no user
	}
	u, err := i.Users.ByID(c.r.Context(), id.Subject)
	switch {
	case err == nil:
		out.Username = u.Username
	case !errors.Is(err, users.ErrNotFound):
		// Whether the token is active does not depend on it.
		i.Log.Warn("the user of an introspected token could not be read", "request_id", c.record.RequestID, "error", err)
	}
	return out
}
