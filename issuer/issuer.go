package issuer

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"tollgate/internal/telemetry"
	"tollgate/issuer/session"
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

// Config of an Issuer. Everything but LoginField, Hosts, Log and Metrics is required.
type Config struct {
	// Verifier believes our own issuer and nobody else.
	Verifier    *token.Verifier
	Revocations Revocations
	Users       users.Directory
	// LoginField is the member of a log-in that names the user: username or email.
	// Default: username.
	LoginField string
	Sessions   *session.Store
	// Sign makes a compact JWS of a payload and returns it with the key's id.
	Sign func(ctx context.Context, payload []byte, typ string) (raw, kid string, err error)
	// Keys is the published key set, nil while there is none.
	Keys   func() *keys.Published
	Claims ClaimSettings
	// MaxTokenBytes is the longest token that any edge takes; 0: 8192.
	MaxTokenBytes int
	// Rotate says that a refresh also hands out a new refresh token.
	Rotate bool
	// Prefix of SimpleJWT's endpoints: empty, or a path without final slash.
	Prefix string
	// Hosts on which the rows exist; empty: on every host.
	Hosts []string
	// Schemes of the Authorization header; default Bearer.
	Schemes []string
	Log     *slog.Logger
	Metrics *telemetry.Metrics
}

// Issuer serves the rows of the public listener that hand out and end tokens.
type Issuer struct {
	Config
	hosts map[string]bool
}

// New returns an Issuer.
func New(c Config) (*Issuer, error) {
	if c.Verifier == nil || c.Revocations == nil || c.Users == nil || c.Sessions == nil || c.Sign == nil || c.Keys == nil {
		return nil, errors.New("issuer: a verifier, revocations, users, sessions, a signer and keys are required")
	}
	if c.MaxTokenBytes == 0 {
		c.MaxTokenBytes = 8192
	}
	if c.LoginField == "" {
		c.LoginField = "username"
	}
	if len(c.Schemes) == 0 {
		c.Schemes = []string{"Bearer"}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	i := &Issuer{Config: c, hosts: map[string]bool{}}
	for _, h := range c.Hosts {
		i.hosts[strings.ToLower(h)] = true
	}
	return i, nil
}

// Mount adds the rows to the public listener. On a host that is not one of ours
// a row's path is an ordinary path and goes to rest. A method that the row does
// not take is answered here, never by a back end.
func (i *Issuer) Mount(e *echo.Echo, rest http.Handler) {
	for _, row := range i.rows() {
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
