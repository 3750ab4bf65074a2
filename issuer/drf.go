package issuer

import (
	"context"
	"errors"
	"net/http"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/users"
	"tollgate/keys/token"
)

// What DRFSettings.TokenID may be, drf-jwt's JWT_TOKEN_ID.
const (
	TokenIDRequire = "require" // tokens carry a jti, and one without is refused
	TokenIDInclude = "include" // tokens carry a jti
	TokenIDOff     = "off"     // tokens carry neither jti nor orig_jti
)

// DRFSettings are what is particular to the tokens of drf-jwt's endpoints. The zero
// value is drf-jwt's own choice, but for TokenID.
type DRFSettings struct {
	// TokenID is one of the TokenID constants; empty: TokenIDRequire. With the other two
	// the verifiers, every edge's included, have to excuse our issuer from jti.
	TokenID string
	// NoRefresh leaves orig_iat out, without which a token is not refreshed.
	NoRefresh bool
	// NoUserID leaves the user's id out; the user is known by username and sub.
	NoUserID bool
}

// The claims that drf-jwt adds.
const (
	origIATClaim  = "orig_iat"
	origJTIClaim  = "orig_jti"
	usernameClaim = "username"
)

// drfToken is the answer of drf-jwt's endpoints. PK is the token's iat. Token is
// missing where it stands in a cookie alone, User where a log-in tells nothing of him.
type drfToken struct {
	PK    int64          `json:"pk"`
	Token string         `json:"token,omitempty"`
	User  map[string]any `json:"user,omitempty"`
}

// drfClaims are what a token of drf-jwt's endpoints has beside the claims of every
// token. Chain is the first token of the line; nil for that one itself.
func (i *Issuer) drfClaims(u users.User, chain *drfChain) moreClaims {
	more := moreClaims{}
	if i.DRF.NoUserID && i.Claims.UserIDClaim != "sub" { // which every token of ours has
		more[i.Claims.UserIDClaim] = nil
	}
	more[usernameClaim] = u.Username
	if i.DRF.TokenID == TokenIDOff {
		more["jti"] = nil
	}
	if chain != nil {
		more[origIATClaim] = chain.iat
		if chain.jti != "" && i.DRF.TokenID != TokenIDOff {
			more[origJTIClaim] = chain.jti
		}
	}
	return more
}

// drfChain is the beginning of a line of refreshed tokens.
type drfChain struct {
	iat int64
	jti string // empty for the first token, and for one without jti
}

// drfHand answers with a token, in the cookie of the access token too where there is
// one.
func (i *Issuer) drfHand(c *call, raw string, stamp session.Stamp) error {
	return i.drfShow(c, i.drfKeep(c, raw, stamp), stamp, nil)
}

// drfKeep puts a token into its cookie, and returns what of it goes into the body.
func (i *Issuer) drfKeep(c *call, raw string, stamp session.Stamp) string {
	i.Cookies.write(c.w.Header(), i.Cookies.Access, raw, stamp)
	if i.Cookies.hides(i.Cookies.Access) {
		return ""
	}
	return raw
}

// drfShow answers with a token, and with what a log-in tells of its user.
func (i *Issuer) drfShow(c *call, raw string, stamp session.Stamp, user map[string]any) error {
	c.record.Decision = telemetry.Allow
	return c.reply(http.StatusCreated, drfToken{PK: stamp.IssuedAt.Unix(), Token: raw, User: user})
}

// drfPresented is the token that is to be verified or refreshed: the body's. Where
// tokens stand in a cookie alone the page has none to send, and the cookie's will do;
// elsewhere drf-jwt reads no cookie here.
func (i *Issuer) drfPresented(c *call) (string, error) {
	body, err := c.readFields()
	if err != nil {
		return "", err
	}
	cookie := ""
	if i.Cookies.Only {
		cookie = i.Cookies.Access
	}
	return c.textOrCookie(body, "token", cookie)
}

// drfCheck authenticates the access token of a body. A fault is drf-jwt's 400.
func (i *Issuer) drfCheck(c *call, raw string) (*token.Identity, error) {
	id, refused, err := i.check(c, raw, accessType)
	if err != nil && refused != nil && refused.Reason != token.ReasonUnavailable {
		return nil, drfFault(refused.Reason, problem.DRFMessage(refused))
	}
	if err == nil && i.strangeAudience(id) {
		return nil, drfFault(token.ReasonAudience, "Invalid token.")
	}
	return id, err
}

// strangeAudience reports whether a token names an audience although none is
// configured: PyJWT, on which drf-jwt stands, refuses that.
func (i *Issuer) strangeAudience(id *token.Identity) bool {
	return len(i.Claims.Audience) == 0 && id.Audience() != nil
}

// drfUser reads the user of a token, who has to be there and active.
func (i *Issuer) drfUser(ctx context.Context, id *token.Identity) (users.User, error) {
	u, err := i.Users.ByID(ctx, id.Subject)
	switch {
	case errors.Is(err, users.ErrNotFound):
		return u, drfFault("", "User doesn't exist.")
	case err != nil:
		return u, err
	case !u.IsActive:
		return u, drfFault("", userDisabled)
	}
	return u, nil
}

const userDisabled = "User account is disabled."

// drfFault is drf-jwt's answer to what it does not take in a body.
func drfFault(reason token.Reason, message string) *fault {
	f := nonField(message)
	f.reason = reason
	return f
}
