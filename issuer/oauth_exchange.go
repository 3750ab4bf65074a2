package issuer

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"tollgate/internal/telemetry"
	"tollgate/issuer/store"
	"tollgate/keys/token"
)

// Token types of RFC 8693 section 3. Ours are both at once.
const (
	typeAccessToken = "urn:ietf:params:oauth:token-type:access_token" //nolint:gosec // a name
	typeJWT         = "urn:ietf:params:oauth:token-type:jwt"
)

// maxActors bounds a chain of actors: each exchange makes the token longer.
const maxActors = 8

// exchange is RFC 8693: a token of ours for one that may do less. Nothing is
// widened: its scope and audience are parts of the subject token's, its end is no
// later, and it carries the same session and birth, so that whatever ends those
// ends it, too.
func (i *Issuer) exchange(c *call, p params, at int64) error {
	client, err := i.clientFor(c, p, store.GrantTokenExchange)
	if err != nil {
		return err
	}
	issued, err := exchangedType(p.get("requested_token_type"))
	if err != nil {
		return err
	}
	subject, err := i.exchangeToken(c, p, "subject_token")
	if err != nil {
		return err
	}
	if subject.SID == "" { // none of those that we sign
		return badRequest(invalidRequest, "The subject_token belongs to no session.")
	}
	actor, notAfter, err := i.actor(c, p, client)
	if err != nil {
		return err
	}
	act, err := actOf(subject, actor)
	if err != nil {
		return err
	}
	m := mintable{
		carried: carriedClaims(subject), subject: subject.Subject, clientID: client.ID, alg: client.Algorithm, sid: subject.SID, act: act, at: at,
		life: i.lifeFor(client), notAfter: subject.ExpiresAt,
	}
	if !notAfter.IsZero() && notAfter.Before(m.notAfter) {
		m.notAfter = notAfter
	}
	if m.scopes, m.audiences, err = narrowed(p, client, subject); err != nil {
		return err
	}
	if m.expires() <= m.at/1e6 { // accepted by the leeway alone: there is no life left to hand on
		return badRequest(invalidRequest, "The subject_token or actor_token is at its end.")
	}
	return i.answerToken(c, m, telemetry.GrantExchange, issued)
}

func exchangedType(requested string) (string, error) {
	switch requested {
	case "", typeAccessToken:
		return typeAccessToken, nil
	case typeJWT:
		return typeJWT, nil
	}
	return "", badRequest(invalidRequest, "The requested_token_type is not issued here.")
}

// exchangeToken checks the subject or actor token of an exchange: an access token of
// ours that is valid now. RFC 8693 section 2.2.2: what is wrong with it is
// invalid_request.
func (i *Issuer) exchangeToken(c *call, p params, name string) (*token.Identity, error) {
	raw, kind := p.get(name), p.get(name+"_type")
	if raw == "" || kind != typeAccessToken && kind != typeJWT {
		return nil, badRequest(invalidRequest, "The "+name+" is missing, or its type is not access_token or jwt.")
	}
	id, refused, err := i.inspect(c, raw, accessType)
	if err != nil {
		return nil, err
	}
	if id != nil && impersonates(id) {
		return nil, badRequest(invalidRequest, "The "+name+" is an impersonation's.")
	}
	if id == nil {
		return nil, &oauthError{status: http.StatusBadRequest, code: invalidRequest, description: "The " + name + " is not valid.", reason: refused.Reason}
	}
	return id, nil
}

// impersonates reports whether a token lets a user act as another. It ends with the
// log-in of either, of which an exchanged token would name one. What an exchange has
// made has an actor, too, and names its client.
func impersonates(id *token.Identity) bool {
	return id.Has(actorSIDClaim) || id.Has(actorClaim) && !id.Has("client_id")
}

// actor is who acts for the subject: whom the actor token speaks for, else the
// client. An actor token bounds the life of what is made with it.
func (i *Issuer) actor(c *call, p params, client *store.Client) (sub string, notAfter time.Time, err error) {
	if p.get("actor_token") == "" {
		if p.get("actor_token_type") != "" { // RFC 8693 section 2.1
			return "", notAfter, badRequest(invalidRequest, "There is an actor_token_type without an actor_token.")
		}
		return client.ID, notAfter, nil
	}
	id, err := i.exchangeToken(c, p, "actor_token")
	if err != nil {
		return "", notAfter, err
	}
	return id.Subject, id.ExpiresAt, nil
}

// actClaim is RFC 8693 section 4.1: the outermost is who acts now, the inner ones
// those who acted before.
type actClaim struct {
	Subject string    `json:"sub"`
	Before  *actClaim `json:"act,omitempty"`
}

func actOf(subject *token.Identity, actor string) (*actClaim, error) {
	if !mayAct(subject, actor) {
		return nil, badRequest(invalidRequest, "The subject_token names another as who may act.")
	}
	out := &actClaim{Subject: actor}
	raw, found := subject.Raw("act")
	if !found {
		return out, nil
	}
	if err := json.Unmarshal(raw, &out.Before); err != nil || out.Before == nil {
		return nil, badRequest(invalidRequest, "The claim act of the subject_token is malformed.")
	}
	n := 0
	for a := out; a != nil; a = a.Before {
		n++
	}
	if n > maxActors {
		return nil, badRequest(invalidRequest, "There are too many actors.")
	}
	return out, nil
}

// mayAct honours may_act, RFC 8693 section 4.4, where an operator has it signed.
func mayAct(subject *token.Identity, actor string) bool {
	raw, found := subject.Raw("may_act")
	if !found || string(raw) == "null" {
		return true
	}
	var claim struct {
		Subject string `json:"sub"`
	}
	return json.Unmarshal(raw, &claim) == nil && claim.Subject == actor
}

// carriedClaims are what the subject's token says of the subject.
func carriedClaims(subject *token.Identity) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for _, name := range subject.Names() {
		if !slices.Contains(notCarried[:], name) {
			raw, _ := subject.Raw(name)
			out[name] = raw
		}
	}
	return out
}

// notCarried are claims about the token, which are made anew or left out.
var notCarried = [...]string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "token_type", "gen", "scope", actorClaim, actorSIDClaim, "client_id", "orig_iat", "orig_jti", "refresh_exp", "status",
}

// narrowed works out scope and audience: what is asked for, within what both the
// subject's token and the client have. A subject's token without audience is meant
// for everybody, a client without audiences is bounded by the token alone.
func narrowed(p params, client *store.Client, subject *token.Identity) (scopes, audiences []string, err error) {
	scopes, ok := within(p.words("scope"), common(subject.Scopes(), client.Scopes))
	if !ok {
		return nil, nil, badRequest(invalidScope, "A scope is not the subject_token's, or not the client's.")
	}
	targets, err := p.targets()
	if err != nil {
		return nil, nil, err
	}
	audiences = subject.Audience()
	switch {
	case len(audiences) == 0 && len(client.Audiences) == 0:
		return scopes, targets, nil
	case len(audiences) == 0:
		audiences = client.Audiences
	case len(client.Audiences) > 0:
		audiences = common(audiences, client.Audiences)
	}
	if audiences, ok = within(targets, audiences); !ok || len(audiences) == 0 {
		return nil, nil, badRequest(invalidTarget, "An audience is not the subject_token's, or not the client's.")
	}
	return scopes, audiences, nil
}
