package issuer

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/internal/ratelimit"
	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
	"tollgate/issuer/statuslist"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/keys"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// Revocations is what the issuer asks of the revocation store.
type Revocations interface {
	token.Checker
	// Revoke writes one revocation.
	Revoke(ctx context.Context, o revocation.Order) (revocation.Revocation, error)
	// Now returns store time in microseconds: the birth of a session.
	Now(ctx context.Context) (int64, error)
}

// Config of an Issuer. Everything is required that does not say what its absence
// means; Log and Metrics may be nil.
type Config struct {
	// Verifier believes our own issuer and nobody else.
	Verifier    *token.Verifier
	Revocations Revocations
	// MaxStale is the age up to which an answer about revocation counts; 0: 5 s.
	MaxStale time.Duration
	Users    users.Directory
	Sessions *session.Store
	// Sign makes a compact JWS of a payload and returns it with the key's id.
	Sign func(ctx context.Context, payload []byte, typ string) (raw, kid string, err error)
	// SignWith is Sign with the key of one algorithm, ring.ErrNotConfigured when nothing
	// is signed with it; nil: clients cannot have an algorithm of their own.
	SignWith func(ctx context.Context, alg keys.Algorithm, payload []byte, typ string) (raw, kid string, err error)
	// Keys is the published key set, nil while there is none.
	Keys   func() *keys.Published
	Claims ClaimSettings
	// Status gives each access token its place in a status list; nil: none is given,
	// and its documents are not served.
	Status *statuslist.Lists
	// MaxTokenBytes is the longest token that any edge takes; 0: 8192.
	MaxTokenBytes int
	// Rotate says that a refresh also hands out a new refresh token.
	Rotate bool
	// Compat names the profiles whose endpoints exist; default SimpleJWT alone.
	Compat []problem.Profile
	// DRF says what the tokens of drf-jwt's endpoints are like.
	DRF DRFSettings
	// ImpersonateClaim lets tokens that have the claim act in a user's name; nil: none
	// but superusers may.
	ImpersonateClaim *token.ClaimRule
	// LoginField is the field of a log-in's body that names the user: username or
	// email; default username. It is what Users.Authenticate takes.
	LoginField string
	// ChangePassword gives the user with this id another password in place of the one
	// that he has; ChangeAtLogin the user whom this login names. Nil: users cannot change
	// theirs here. They are those of users.Redis, with its errors.
	ChangePassword func(ctx context.Context, id, password, next string) (users.User, error)
	ChangeAtLogin  func(ctx context.Context, login, password, next string) (users.User, error)
	// RecordLogin dates the last log-in of the user with this id; nil: nobody does.
	RecordLogin func(ctx context.Context, id string) error
	// ResponseUserFields are attributes that a log-in tells beside the tokens.
	ResponseUserFields []string
	// Limiter counts attempts at passwords, LoginRate says how many there may be for
	// one address and for one name; without both there is no limit. Limiter also counts
	// the failures of clients.
	Limiter   *ratelimit.Limiter
	LoginRate ratelimit.Rate
	// Cookies that hold tokens; the zero value: none.
	Cookies CookieSettings
	// Prefix of SimpleJWT's endpoints: empty, or a path without final slash.
	Prefix string
	// Hosts on which the rows exist; empty: on every host.
	Hosts []string
	// Inspector is the Verifier for tokens of any audience: those that clients have
	// made, ask about and revoke. Nil: Verifier.
	Inspector *token.Verifier
	// Audit takes a line for the audit log. It must not wait; nil: there is no log.
	Audit func(store.Line)
	// Clients are the programs that may use the OAuth endpoints.
	Clients *store.Clients
	// RedisTime is how long a request waits for Redis in all; 0: store.OpBudget.
	RedisTime time.Duration
	// AccessTTL is the life of a client's token, unless the client has a shorter one.
	AccessTTL time.Duration
	// Leeway for client assertions; default 0.
	Leeway time.Duration
	// PublicURL is where clients reach the public listener, without final slash;
	// empty: the scheme and host of Claims.Issuer, if that is a URL.
	PublicURL string
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Schemes of the Authorization header; default Bearer.
	Schemes []string
	Log     *slog.Logger
	Metrics *telemetry.Metrics
}

// Issuer serves the rows of the public listener that hand out and end tokens.
type Issuer struct {
	Config
	hosts      map[string]bool
	protect    *http.CrossOriginProtection // nil without cookies
	advertised atomic.Pointer[advertised]
}

// New returns an Issuer.
func New(c Config) (*Issuer, error) {
	if c.Verifier == nil || c.Revocations == nil || c.Users == nil || c.Sessions == nil || c.Sign == nil || c.Keys == nil || c.Clients == nil || c.AccessTTL < time.Second {
		return nil, errors.New("issuer: a verifier, revocations, users, sessions, a signer, keys, clients and the life of an access token are required")
	}
	if c.MaxTokenBytes == 0 {
		c.MaxTokenBytes = 8192
	}
	if c.RedisTime == 0 {
		c.RedisTime = store.OpBudget
	}
	if c.MaxStale == 0 {
		c.MaxStale = 5 * time.Second
	}
	if c.LoginField == "" {
		c.LoginField = "username"
	}
	if c.Inspector == nil {
		c.Inspector = c.Verifier
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if len(c.Schemes) == 0 {
		c.Schemes = []string{"Bearer"}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.DRF.TokenID == "" {
		c.DRF.TokenID = TokenIDRequire
	}
	if len(c.Compat) == 0 {
		c.Compat = []problem.Profile{problem.SimpleJWT}
	}
	protect, err := c.Cookies.protection()
	if err != nil {
		return nil, err
	}
	i := &Issuer{Config: c, hosts: map[string]bool{}, protect: protect}
	for _, h := range c.Hosts {
		i.hosts[strings.ToLower(h)] = true
	}
	return i, nil
}

// Mount adds the rows to the public listener. On a host that is not one of ours
// a row's path is an ordinary path and goes to rest. A method that the row does
// not take is answered here, never by a back end.
func (i *Issuer) Mount(e *echo.Echo, rest http.Handler) {
	for _, row := range i.mounted() {
		handler := i.serve(row)
		if len(i.hosts) > 0 {
			handler = i.onOurHosts(handler, rest)
		}
		for _, path := range row.paths() {
			// Echo's Any knows eleven methods, and a twelfth would go to rest: a path
			// with methods is passed over for the wildcard behind it when none fits. A
			// path that has this alone takes every method.
			e.RouteNotFound(path, handler)
		}
	}
}

func (i *Issuer) onOurHosts(handler echo.HandlerFunc, rest http.Handler) echo.HandlerFunc {
	elsewhere := echo.WrapHandler(rest)
	return func(c echo.Context) error {
		host, _, _ := strings.Cut(strings.ToLower(c.Request().Host), ":")
		if i.hosts[strings.TrimSuffix(host, ".")] {
			return handler(c)
		}
		return elsewhere(c)
	}
}
