package issuer

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tollgate/internal/ratelimit"
	"tollgate/issuer/store"
	"tollgate/keys/token"
)

// clientFailures is how often one address may fail as one client: the limit of a
// log-in. Only failures count, so nobody is kept out who has the secret, unless he
// guesses from the same address.
var clientFailures = ratelimit.Rate{Limit: 10, Per: time.Minute, Burst: 10}

// credentials are what a client authenticates with: a secret, or an assertion.
type credentials struct{ id, secret, assertion string }

// needClient is authenticateClient for endpoints that are for clients alone.
func (i *Issuer) needClient(c *call, p params) (*store.Client, error) {
	client, err := i.authenticateClient(c, p)
	if err == nil && client == nil {
		return nil, noClient()
	}
	return client, err
}

// authenticateClient finds out which client calls, by one of client_secret_basic,
// client_secret_post (RFC 6749 section 2.3.1) and private_key_jwt (RFC 7523 section
// 2.2). Nil without an error: nobody claims to be one.
func (i *Issuer) authenticateClient(c *call, p params) (*store.Client, error) {
	cred, there, err := i.readCredentials(c, p)
	if err != nil || !there {
		return nil, err
	}
	key := "oauth:client\x00" + cred.id + "\x00" + c.record.Remote
	ctx := c.r.Context()
	if i.Limiter != nil {
		if d := i.Limiter.Peek(ctx, key, clientFailures); !d.Allowed {
			return nil, &oauthError{
				status: http.StatusTooManyRequests, code: temporarily, description: "Too many failed attempts. Try again later.",
				reason: token.ReasonRate, retryAfter: d.RetryAfter,
			}
		}
	}
	client, err := i.Clients.Get(ctx, cred.id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	good := client.HasSecret(cred.secret) // of nobody, too: that takes as long
	if cred.assertion != "" {
		if good, err = i.assertionHolds(c, client, cred.assertion); err != nil {
			return nil, err
		}
	}
	if good && !client.Disabled {
		return client, nil
	}
	if i.Limiter != nil {
		i.Limiter.Allow(ctx, key, clientFailures)
	}
	i.note(c, store.Line{Action: "client.login", Actor: clip(cred.id), ActorID: clip(cred.id), Kind: "client", Target: clip(cred.id), Outcome: store.OutcomeRefused, Detail: "credentials"})
	return nil, noClient()
}

// readCredentials reads what the request authenticates with. More than one way is a
// fault (RFC 6749 section 2.3).
func (i *Issuer) readCredentials(c *call, p params) (cred credentials, there bool, err error) {
	basic, isBasic, err := basicCredentials(c.r.Header)
	if err != nil {
		return cred, false, err
	}
	ways := 0
	if isBasic {
		cred = basic
		ways++
	}
	id := p.get("client_id")
	if secret := p.get("client_secret"); secret != "" {
		cred = credentials{id: id, secret: secret}
		ways++
	}
	if p.get("client_assertion") != "" || p.get("client_assertion_type") != "" {
		if cred, err = i.assertionCredentials(p); err != nil {
			return cred, false, err
		}
		ways++
	}
	switch {
	case ways > 1:
		return cred, false, badRequest(invalidRequest, "The client authenticates in more than one way.")
	case ways == 0 && id != "": // every client of ours has something to authenticate with
		return cred, false, noClient()
	case ways == 0:
		return cred, false, nil
	case id != "" && id != cred.id:
		return cred, false, badRequest(invalidRequest, "The parameter client_id is another client's.")
	case cred.id == "":
		return cred, false, noClient()
	}
	return cred, true, nil
}

// basicCredentials reads RFC 6749 section 2.3.1: both parts are form-encoded before
// they are joined. Another scheme is somebody else's and counts as none.
func basicCredentials(h http.Header) (cred credentials, there bool, err error) {
	values := h.Values("Authorization")
	if len(values) > 1 {
		return cred, false, badRequest(invalidRequest, "The Authorization header came more than once.")
	}
	if len(values) == 0 {
		return cred, false, nil
	}
	scheme, text, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Basic") {
		return cred, false, nil
	}
	joined, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	id, secret, colon := strings.Cut(string(joined), ":")
	if err != nil || !colon {
		return cred, false, noClient()
	}
	if cred.id, err = url.QueryUnescape(id); err == nil {
		cred.secret, err = url.QueryUnescape(secret)
	}
	if err != nil {
		return cred, false, noClient()
	}
	return cred, true, nil
}
