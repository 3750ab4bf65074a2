package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/users"
	"tollgate/revocation"
)

// ErrOrder says what is wrong with an [Order], in words for its author.
var ErrOrder = errors.New("issuer: invalid order")

// Order is an access token that an operator asks for: for tests, for a job, to see
// what somebody sees. Exactly one of Subject and Client is needed.
type Order struct {
	Subject string // a user's id
	Client  string // a client's id
	// TTL is its life in whole seconds; 0: as long as it may be, which is also its
	// bound: ACCESS_TTL, and a client's own.
	TTL time.Duration
	// Audience it names; nil: what a log-in's or the client's own would.
	Audience []string
	// Claims are the names of a user's claims that it carries; nil: all of them.
	Claims []string
	// Scope it has; nil: none for a user, all of a client's.
	Scope []string
}

// Issued is a token beside what names it in lists and revocations.
type Issued struct {
	Token, JTI, KeyID, Subject string
	ExpiresAt                  time.Time
}

// Issue signs a token without a log-in. It has no session of its own and is revoked
// by its jti, by its subject, by its key. ErrOrder, users.ErrNotFound,
// store.ErrNotFound.
func (i *Issuer) Issue(ctx context.Context, o Order) (Issued, error) {
	if (o.Subject == "") == (o.Client == "") {
		return Issued{}, fmt.Errorf("%w: give a subject or a client, and one of them", ErrOrder)
	}
	at, err := i.Revocations.Now(ctx)
	if err != nil {
		return Issued{}, err
	}
	m := mintable{scopes: o.Scope, audiences: o.Audience, at: at, sid: revocation.NewSessionID(at), life: i.AccessTTL}
	if o.Client != "" {
		err = i.orderForClient(ctx, o, &m)
	} else {
		err = i.orderForUser(ctx, o, &m)
	}
	switch {
	case err != nil:
		return Issued{}, err
	case o.TTL < 0 || o.TTL%time.Second != 0 || o.TTL > m.life:
		return Issued{}, fmt.Errorf("%w: ttl is not a whole number of seconds up to %s: no edge takes a token that lives longer", ErrOrder, m.life)
	case o.TTL > 0:
		m.life = o.TTL
	}
	raw, jti, kid, err := i.signMintable(ctx, m)
	switch {
	case errors.Is(err, errTooLong):
		return Issued{}, fmt.Errorf("%w: the token would be too long", ErrOrder)
	case errors.Is(err, errAlgorithm):
		return Issued{}, fmt.Errorf("%w: nothing is signed with the client's algorithm %s", ErrOrder, m.alg)
	}
	if err != nil {
		return Issued{}, err
	}
	i.Metrics.Issued(telemetry.TokenAccess, telemetry.GrantAdmin)
	return Issued{Token: raw, JTI: jti, KeyID: kid, Subject: m.subject, ExpiresAt: time.Unix(m.expires(), 0).UTC()}, nil
}

func (i *Issuer) orderForClient(ctx context.Context, o Order, m *mintable) error {
	c, err := i.Clients.Get(ctx, o.Client)
	if err != nil {
		return err
	}
	if c.Disabled {
		return fmt.Errorf("%w: the client is disabled", ErrOrder)
	}
	if o.Claims != nil {
		return fmt.Errorf("%w: a client has no claims to choose from", ErrOrder)
	}
	m.subject, m.clientID, m.alg, m.life = c.ID, c.ID, c.Algorithm, i.lifeFor(c)
	var ok bool
	if m.scopes, ok = within(o.Scope, c.Scopes); !ok {
		return fmt.Errorf("%w: a scope is not one of the client's", ErrOrder)
	}
	if m.audiences == nil {
		m.audiences = c.Audiences
	}
	if len(m.audiences) == 0 {
		m.audiences = i.Claims.Audience
	}
	return nil
}

func (i *Issuer) orderForUser(ctx context.Context, o Order, m *mintable) error {
	u, err := i.Users.ByID(ctx, o.Subject)
	if err != nil {
		return err
	}
	if !u.IsActive {
		return fmt.Errorf("%w: the user is not active", ErrOrder)
	}
	m.subject = u.ID
	if m.audiences == nil {
		m.audiences = i.Claims.Audience
	}
	m.carried, err = i.userClaims(u, o.Claims)
	return err
}

// userClaims are the claims that a log-in would say of the user, or those named.
func (i *Issuer) userClaims(u users.User, only []string) (map[string]json.RawMessage, error) {
	payload, err := i.Claims.payload(u, session.Pair{SID: "-"}, accessType, session.Stamp{}, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOrder, err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(payload, &all); err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	for name := range all {
		if slices.Contains(notCarried[:], name) || only != nil && !slices.Contains(only, name) {
			delete(all, name)
		}
	}
	for _, name := range only {
		if _, found := all[name]; !found {
			return nil, fmt.Errorf("%w: a log-in's token has no claim %q", ErrOrder, name)
		}
	}
	return all, nil
}
