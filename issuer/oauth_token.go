package issuer

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"tollgate/internal/telemetry"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/keys/token"
	"tollgate/revocation"
)

const (
	tokenPath      = "/oauth/token"      //nolint:gosec // a path
	revokePath     = "/oauth/revoke"     // RFC 7009
	introspectPath = "/oauth/introspect" // RFC 7662
)

// tokenAnswer is RFC 6749 section 5.1, with RFC 8693 section 2.2.1.
type tokenAnswer struct {
	AccessToken     string `json:"access_token"`
	IssuedTokenType string `json:"issued_token_type,omitempty"`
	TokenType       string `json:"token_type"`
	ExpiresIn       int64  `json:"expires_in"` // seconds
	RefreshToken    string `json:"refresh_token,omitempty"`
	Scope           string `json:"scope,omitempty"`
}

// grant is the token endpoint, RFC 6749 section 3.2.
func (i *Issuer) grant(c *call) error {
	// Store time comes before the client's record is read: a cut-off that falls in
	// between then covers what is handed out.
	at, err := i.Revocations.Now(c.r.Context())
	if err != nil {
		return err
	}
	p, err := c.readParams()
	if err != nil {
		return err
	}
	switch p.get("grant_type") {
	case "":
		return badRequest(invalidRequest, "The parameter grant_type is missing.")
	case store.GrantClientCredentials:
		return i.clientCredentials(c, p, at)
	case store.GrantRefreshToken:
		return i.oauthRefresh(c, p)
	case store.GrantTokenExchange:
		return i.exchange(c, p, at)
	}
	return badRequest(unsupportedGrantType, "The grant_type is not one of those in the metadata.")
}

// clientFor authenticates a client and asks whether it may use a grant.
func (i *Issuer) clientFor(c *call, p params, grant string) (*store.Client, error) {
	client, err := i.needClient(c, p)
	if err == nil && !client.Allows(grant) {
		err = badRequest(unauthorizedClient, "The client may not use this grant.")
	}
	return client, err
}

// clientCredentials is RFC 6749 section 4.4: a token that speaks for the client.
func (i *Issuer) clientCredentials(c *call, p params, at int64) error {
	client, err := i.clientFor(c, p, store.GrantClientCredentials)
	if err != nil {
		return err
	}
	scopes, ok := within(p.words("scope"), client.Scopes)
	if !ok {
		return badRequest(invalidScope, "A scope is not one of the client's.")
	}
	targets, err := p.targets()
	if err != nil {
		return err
	}
	audiences := client.Audiences
	if len(audiences) == 0 {
		audiences = i.Claims.Audience
	}
	if audiences, ok = within(targets, audiences); !ok {
		return badRequest(invalidTarget, "An audience is not one of the client's.")
	}
	if err := i.notAUser(c, client.ID); err != nil {
		return err
	}
	m := mintable{subject: client.ID, clientID: client.ID, alg: client.Algorithm, scopes: scopes, audiences: audiences, sid: revocation.NewSessionID(at), at: at, life: i.lifeFor(client)}
	return i.answerToken(c, m, telemetry.GrantClientCredentials, "")
}

// notAUser keeps a client from being taken for the user with the same id (RFC 9068
// section 5): both are the subject of their tokens.
func (i *Issuer) notAUser(c *call, id string) error {
	switch _, err := i.Users.ByID(c.r.Context(), id); {
	case errors.Is(err, users.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	i.Log.Warn("a client was refused: its id is a user's, too", "client_id", id)
	return badRequest(unauthorizedClient, "The client's id is taken by a user.")
}

func (i *Issuer) lifeFor(client *store.Client) time.Duration {
	if client.AccessTTL > 0 {
		return min(client.AccessTTL, i.AccessTTL)
	}
	return i.AccessTTL
}

// oauthRefresh is RFC 6749 section 6 for the refresh token of a log-in, by the rules
// of the log-in's own refresh. It was given to no client, so none has to
// authenticate; one that does has to be allowed to.
func (i *Issuer) oauthRefresh(c *call, p params) error {
	client, err := i.authenticateClient(c, p)
	switch {
	case err != nil:
		return err
	case client != nil && !client.Allows(store.GrantRefreshToken):
		return badRequest(unauthorizedClient, "The client may not use this grant.")
	case p.get("refresh_token") == "":
		return badRequest(invalidRequest, "The parameter refresh_token is missing.")
	case p.get("scope") != "": // section 6: not more than was granted, and a log-in grants none
		return badRequest(invalidScope, "The tokens of a log-in have no scope.")
	}
	more, err := i.refreshTargets(p, client) // first: what cannot be had spends nothing
	if err != nil {
		return err
	}
	out, pair, err := i.renew(c, p.get("refresh_token"), more...)
	if f, ok := errors.AsType[*fault](err); ok && f.status < 500 {
		return &oauthError{status: http.StatusBadRequest, code: invalidGrant, description: "The refresh token is not valid any more, or never was.", reason: f.reason}
	}
	if err != nil {
		return err
	}
	answer := tokenAnswer{
		AccessToken: out.Access, RefreshToken: out.Refresh, TokenType: "Bearer", ExpiresIn: i.secondsUntil(pair.Access.ExpiresAt),
	}
	if err := c.reply(http.StatusOK, answer); err != nil {
		return err // not delivered: the token that was presented may come again
	}
	i.delivered(c, pair)
	return nil
}

// refreshTargets is RFC 8707 section 2.2: the access token may be asked for a part of the
// audiences that a log-in's has; the refresh token keeps them all, so that the next one
// may be for others. A log-in without audiences has none to choose from, as a client has.
func (i *Issuer) refreshTargets(p params, client *store.Client) ([]moreClaims, error) {
	targets, err := p.targets()
	if err != nil || len(targets) == 0 {
		return nil, err
	}
	allowed := i.Claims.Audience
	if client != nil && len(client.Audiences) > 0 {
		allowed = common(allowed, client.Audiences)
	}
	if _, ok := within(targets, allowed); !ok {
		return nil, badRequest(invalidTarget, "An audience is not one of a log-in's, or not the client's.")
	}
	if len(targets) == 1 {
		return []moreClaims{{"aud": targets[0]}}, nil
	}
	return []moreClaims{{"aud": targets}}, nil
}

// secondsUntil is never negative: a standing pair may be handed out again at its end.
func (i *Issuer) secondsUntil(t time.Time) int64 {
	return max(0, int64(t.Sub(i.Now())/time.Second))
}

// answerToken signs and sends a token that comes without a refresh token.
func (i *Issuer) answerToken(c *call, m mintable, grant, issuedType string) error {
	raw, jti, kid, err := i.signMintable(c.r.Context(), m)
	if errors.Is(err, errTooLong) {
		return badRequest(invalidRequest, "The token would be too long.")
	}
	if errors.Is(err, errAlgorithm) {
		i.Log.Warn("a client was refused: nothing is signed with its access_token_signing_alg (TOLLGATE_SIGNING_ALG)", "client_id", m.clientID, "alg", m.alg)
		return badRequest(unauthorizedClient, "Nothing is signed here with the algorithm of the client.")
	}
	if err != nil {
		return err
	}
	c.record.Subject, c.record.JTI, c.record.KeyID = m.subject, jti, kid
	i.Metrics.Issued(telemetry.TokenAccess, grant)
	return c.reply(http.StatusOK, tokenAnswer{
		AccessToken: raw, IssuedTokenType: issuedType, TokenType: "Bearer", ExpiresIn: max(0, m.expires()-m.at/1e6), Scope: strings.Join(m.scopes, " "),
	})
}

// inspect authenticates a token that came in a body, of any audience: whom it is
// meant for is for those to compare who get it. The refusal is there beside the
// error of one that is not accepted.
func (i *Issuer) inspect(c *call, raw string, types ...string) (*token.Identity, *token.Refusal, error) {
	id, err := i.Inspector.Authenticate(c.r.Context(), raw, &token.Policy{TokenTypes: types}, i.Revocations)
	refused, ok := errors.AsType[*token.Refusal](err)
	switch {
	case err == nil:
		return id, nil, nil
	case !ok:
		return nil, nil, err
	case refused.Reason == token.ReasonUnavailable:
		return nil, refused, errors.Join(revocation.ErrUnavailable, refused)
	}
	return nil, refused, nil
}
