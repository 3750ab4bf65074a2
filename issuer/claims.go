package issuer

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/statuslist"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/revocation"
)

// Token types, as they stand in the claim token_type.
const (
	accessType  = "access"
	refreshType = "refresh"
)

// ClaimSettings say what tokens carry beside the registered claims.
type ClaimSettings struct {
	Issuer   string
	Audience []string
	// Typ of the header of access and sliding tokens; empty: none.
	Typ string
	// UserIDClaim carries the user attribute UserIDField, as a JSON number when
	// UserIDNumber is set.
	UserIDClaim, UserIDField string
	UserIDNumber             bool
	// Custom claims in their order. Names are checked by whoever reads the
	// configuration: `^[A-Za-z_][A-Za-z0-9_]{0,63}$`, none of them reserved.
	Custom []CustomClaim
	// Password adds a claim that ties tokens to the user's password as it is: a
	// refresh after it was changed is refused.
	Password bool
}

// CustomClaim is a claim that carries an attribute of the user.
type CustomClaim struct{ Claim, Attribute string }

// ErrUnavailable says that a token could not be signed now: the key ring was not
// confirmed against its store.
var ErrUnavailable = errors.New("issuer: the token could not be signed")

// tokens is what a log-in or refresh hands out.
type tokens struct {
	Refresh string         `json:"refresh,omitempty"`
	Access  string         `json:"access,omitempty"`
	Token   string         `json:"token,omitempty"` // a sliding one, in place of both
	User    map[string]any `json:"user,omitempty"`
}

// refreshed is what a refresh answers. SimpleJWT has the access token first here, and
// last at a log-in.
type refreshed struct {
	Access  string `json:"access,omitempty"`
	Refresh string `json:"refresh,omitempty"`
}

// mint signs the tokens of a pair; more is about the access token alone.
func (i *Issuer) mint(ctx context.Context, c *call, u users.User, p session.Pair, withRefresh bool, grant string, more ...moreClaims) (tokens, error) {
	var out tokens
	var err error
	if out.Access, err = i.sign(ctx, c, u, p, accessType, p.Access, more...); err != nil {
		return tokens{}, err
	}
	i.Metrics.Issued(telemetry.TokenAccess, grant)
	if withRefresh {
		if out.Refresh, err = i.sign(ctx, c, u, p, refreshType, p.Refresh); err != nil {
			return tokens{}, err
		}
		i.Metrics.Issued(telemetry.TokenRefresh, grant)
	}
	c.record.Subject, c.record.JTI = p.Subject, p.Access.JTI
	return out, nil
}

func (i *Issuer) sign(ctx context.Context, c *call, u users.User, p session.Pair, kind string, s session.Stamp, more ...moreClaims) (string, error) {
	signed := func(status *statuslist.Reference) (string, string, error) {
		payload, err := i.Claims.payload(u, p, kind, s, status)
		if err == nil && len(more) > 0 {
			payload, err = more[0].into(payload)
		}
		if err != nil { // of this user, for good: asking again would not help
			return "", "", fmt.Errorf("claims: %w", err)
		}
		// Whoever signs may first wait for a look at the key store that all share.
		ctx, done := store.Rest(ctx)
		defer done()
		raw, kid, err := i.Sign(ctx, payload, i.Claims.typ(kind))
		if err != nil {
			return "", "", fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return raw, kid, nil
	}
	var raw, kid string
	var err error
	if i.Status != nil && kind == accessType {
		t := statuslist.Token{JTI: s.JTI, SID: p.SID, Subject: p.Subject, IssuedAt: s.IssuedAt, ExpiresAt: s.ExpiresAt, Again: p.Replay}
		for _, m := range more {
			t.Actor, t.ActorSID, t.Nameless = m.status()
		}
		raw, kid, err = i.Status.Bind(ctx, t, func(r statuslist.Reference) (string, string, error) { return signed(&r) })
	} else {
		raw, kid, err = signed(nil)
	}
	if err != nil {
		return "", err
	}
	c.record.KeyID = kid
	return raw, nil
}

// typ is the header type of a token. at+jwt says "access token" (RFC 9068 section 2.1) to
// verifiers that know no token_type: a refresh token must not say so.
func (s ClaimSettings) typ(kind string) string {
	if kind == refreshType && s.Typ != "" {
		return "JWT"
	}
	return s.Typ
}

// room is how long a token may be without its status claim.
func (i *Issuer) room() int {
	if i.Status == nil {
		return i.MaxTokenBytes
	}
	return i.MaxTokenBytes - base64.RawURLEncoding.EncodedLen(i.Status.Allowance())
}

// longestSegments is more than header and signature of a token take (RS512 with
// 4096 bits) beside its claims.
const longestSegments = 900

// fits reports what keeps a user's claims from ever becoming a token that an edge
// takes.
func (s ClaimSettings) fits(u users.User, maxToken int) error {
	payload, err := s.payload(u, session.Pair{SID: revocation.NewSessionID(1)}, refreshType, session.Stamp{JTI: strings.Repeat("0", 32)}, nil)
	if err != nil {
		return fmt.Errorf("claims: %w", err)
	}
	if base64.RawURLEncoding.EncodedLen(len(payload))+longestSegments > maxToken {
		return fmt.Errorf("claims: those of user %q make a token longer than %d bytes (TOLLGATE_CLAIMS, TOLLGATE_MAX_TOKEN_BYTES)", u.ID, maxToken)
	}
	return nil
}

// payload builds the claims; status is nil for a token that has none. Reserved ones are set last, so that no attribute of
// a user can stand in for them.
func (s ClaimSettings) payload(u users.User, p session.Pair, kind string, stamp session.Stamp, status *statuslist.Reference) ([]byte, error) {
	claims := map[string]any{}
	for _, custom := range s.Custom {
		v, _ := u.Attribute(custom.Attribute) // always emitted: a missing attribute is null
		claims[custom.Claim] = v
	}
	id, err := s.userID(u)
	if err != nil {
		return nil, err
	}
	claims[s.UserIDClaim] = id
	claims["token_type"] = kind
	claims["iss"] = s.Issuer
	claims["sub"] = u.ID
	claims["iat"] = stamp.IssuedAt.Unix()
	claims["exp"] = stamp.ExpiresAt.Unix()
	claims["jti"] = stamp.JTI
	claims["sid"] = p.SID
	delete(claims, "aud")
	switch len(s.Audience) {
	case 0:
	case 1:
		claims["aud"] = s.Audience[0]
	default:
		claims["aud"] = s.Audience
	}
	if status != nil {
		claims["status"] = map[string]any{"status_list": status}
	}
	delete(claims, generationClaim)
	if kind == refreshType {
		claims[generationClaim] = p.Generation
	}
	delete(claims, refreshExpClaim)
	if kind == slidingType {
		claims[refreshExpClaim] = p.Refresh.ExpiresAt.Unix()
	}
	if s.Password {
		claims[passwordClaim] = passwordVersion(u)
	}
	return json.Marshal(claims)
}

// generationClaim says which refresh token of its session this is.
const generationClaim = "gen"

func (s ClaimSettings) userID(u users.User) (any, error) {
	v, found := u.Attribute(s.UserIDField)
	if !found || v == nil || v == "" {
		return nil, fmt.Errorf("user %q has no attribute %q for the claim %s", u.Username, s.UserIDField, s.UserIDClaim)
	}
	text := fmt.Sprint(v)
	if !s.UserIDNumber {
		return text, nil
	}
	// Only one spelling: "007" and "7" are two users.
	if n, err := strconv.ParseInt(text, 10, 64); err != nil || strconv.FormatInt(n, 10) != text {
		return nil, fmt.Errorf("user %q: attribute %q is not a whole number", u.Username, s.UserIDField)
	}
	return json.Number(text), nil
}
