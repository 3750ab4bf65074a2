package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/internal/ratelimit"
	"tollgate/internal/telemetry"
	"tollgate/issuer"
	"tollgate/issuer/store"
	"tollgate/keys/token"
)

// principal is whose admin token a request bears.
type principal struct {
	ID, Name string
	Role     Role
	Expires  time.Time // zero: never
}

// bootstrap is the id and the name of the token of the configuration. It is good
// without Redis: with it the others are made, and things are mended when Redis is away.
const bootstrap = "bootstrap"

// wrongTokens is how many wrong admin tokens one address may send. Those over it get
// 429 instead of 401; a right token is never counted and never refused for it.
var wrongTokens = ratelimit.Rate{Limit: 20, Per: time.Minute, Burst: 20}

// authorise finds out who calls. What nobody can say is 503; nothing is read of the
// request before.
func (a *Admin) authorise(c echo.Context, record *telemetry.Record, path string) (principal, error) {
	raw, malformed := problem.Bearer(c.Request().Header, []string{"Bearer"})
	if malformed == nil && raw != "" {
		who, reason, err := a.owner(c.Request().Context(), raw)
		switch {
		case err != nil:
			a.Metrics.AdminRefused(telemetry.AdminUnsure)
			return principal{}, unsureToken(err)
		case reason == "":
			return who, nil
		}
		return principal{}, a.stranger(c, record, path, reason, who)
	}
	reason := telemetry.AdminWrong
	if len(c.Request().Header["Authorization"]) == 0 {
		reason = telemetry.AdminNoToken
	}
	return principal{}, a.stranger(c, record, path, reason, principal{})
}

// owner returns whose token it is, or the reason why it is not taken. Digests are
// compared, so that the comparison takes the same time whatever was sent.
func (a *Admin) owner(ctx context.Context, raw string) (principal, string, error) {
	given := sha256.Sum256([]byte(raw))
	if subtle.ConstantTimeCompare(given[:], a.digest[:]) == 1 {
		return principal{ID: bootstrap, Name: bootstrap, Role: RoleAdmin}, "", nil
	}
	if _, ours := store.AdminTokenID(raw); !ours || a.AdminTokens == nil {
		return principal{}, telemetry.AdminWrong, nil
	}
	t, err := a.AdminTokens.Use(ctx, raw)
	var who principal
	if t != nil {
		who = principal{ID: t.ID, Name: t.Name, Role: Role(t.Role), Expires: t.Expires}
	}
	switch {
	case err == nil:
		return who, "", nil
	case errors.Is(err, store.ErrNotFound):
		return who, telemetry.AdminWrong, nil
	case errors.Is(err, store.ErrRevoked):
		return who, telemetry.AdminRevoked, nil
	case errors.Is(err, store.ErrExpired):
		return who, telemetry.AdminExpired, nil
	}
	return principal{}, "", err
}

func unsureToken(err error) error {
	return errors.Join(&problem.Details{
		Status: http.StatusServiceUnavailable, Code: "unavailable",
		Detail: "The store could not be asked whether this is an admin token; only that of the configuration is good without it. Nothing was done.",
	}, err)
}

// stranger refuses a request without a good token. Of one that was good once, who is
// known.
func (a *Admin) stranger(c echo.Context, record *telemetry.Record, path, reason string, who principal) error {
	record.Decision, record.Reason = telemetry.Deny, string(token.ReasonMissing)
	over := a.tooMany(c.Request().Context(), record, reason)
	if over > 0 {
		record.Reason, reason = string(token.ReasonRate), telemetry.AdminRate
	}
	a.Log.Warn("an admin request was refused: no valid admin token", "method", c.Request().Method, "why", reason, "remote", record.Remote, "request_id", record.RequestID)
	a.refusal(c, record, reason, path, who, issuer.Network(record.Remote))
	if over > 0 {
		c.Response().Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(over.Seconds())))))
		return &problem.Details{
			Status: http.StatusTooManyRequests, Code: "too_many_wrong_tokens",
			Detail: "Too many wrong admin tokens came from this address. A right one is taken all the same.",
		}
	}
	c.Response().Header().Set("WWW-Authenticate", `Bearer realm="admin"`)
	return &problem.Details{
		Status: http.StatusUnauthorized, Code: "admin_token_required",
		Detail: "This listener takes an admin token: Authorization: Bearer <the value of TOLLGATE_ADMIN_TOKEN, or a token of tollgate admin-tokens create>.",
	}
}

// tooMany counts a wrong token. To have sent none is no attempt.
func (a *Admin) tooMany(ctx context.Context, record *telemetry.Record, reason string) time.Duration {
	if a.Limiter == nil || reason == telemetry.AdminNoToken {
		return 0
	}
	d := a.Limiter.Allow(ctx, "admin token\x00"+issuer.Network(record.Remote), wrongTokens)
	if d.Allowed {
		return 0
	}
	return max(d.RetryAfter, time.Millisecond)
}

type whoBody struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Role      Role       `json:"role"`
	ExpiresAt *time.Time `json:"expires_at"` // null: never
}

// whoAmI says whose token it is. The console asks it once, when somebody logs in.
func (a *Admin) whoAmI(c echo.Context) error {
	who := whoOf(c.Request().Context())
	if sourceOf(c) == telemetry.SourceConsole {
		record := telemetry.From(c.Response().Writer)
		a.Events.Note(a.line(c, record, who, access{action: "console.login", kind: "console"}, store.OutcomeDone))
	}
	return c.JSON(http.StatusOK, whoBody{who.ID, who.Name, who.Role, timeOrNil(who.Expires)})
}
