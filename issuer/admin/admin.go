package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/gateway"
	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/issuer"
	"tollgate/issuer/admin/console"
	"tollgate/issuer/session"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/keys/ring"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// Config of the admin API. Token, Issuer and Revocations are required; without
// Keys, Users, Sessions, Clients or Tokens (a process without the issuer role) their rows answer
// 404 with the reason.
type Config struct {
	// Token that every request must bear.
	Token string
	// Issuer is ours: the default of a revocation.
	Issuer      string
	Revocations revocation.Store
	// Verifier reads the whole tokens that are given to be revoked.
	Verifier *token.Verifier
	Keys     *ring.Manager
	// Routes is the routing table of this process; nil without the gateway role.
	Routes func() *gateway.Table
	// Reload reads routes and trusted issuers anew; nil: there is nothing to read.
	Reload   func(context.Context) error
	Users    *users.Redis
	Sessions *session.Store
	// Clients are the programs that may use the OAuth endpoints.
	Clients *store.Clients
	// Answers are kept for requests that come again with their Idempotency-Key; nil:
	// such requests are refused.
	Answers *store.Answers
	// Tokens signs what an operator asks for.
	Tokens *issuer.Issuer
	// Edges knows who follows the revocations; nil: nobody does.
	Edges *revocation.Census
	// Recover makes the store of revocations vouch for old tokens again after a loss.
	Recover func(context.Context, revocation.Recovery) error
	// Issuers are those whose tokens are trusted; nil: ours alone.
	Issuers func() []string
	// Capped reports whether it is known how long a token of another issuer can live;
	// nil: of none. What is revoked of one where that is not known, and of which no end
	// is given, stays revoked.
	Capped func(issuer string) bool
	// Status says how this process is, and what it has counted; nil: it cannot tell.
	Status func(context.Context) Status
	// Settings are those in force; nil: it cannot tell.
	Settings func() []Setting
	Log      *slog.Logger
	Metrics  *telemetry.Metrics
}

// Admin is the handler of the admin listener.
type Admin struct {
	Config
	echo    *echo.Echo
	console *console.Console
	digest  [sha256.Size]byte
}

// New returns the handler.
func New(c Config) (*Admin, error) {
	if c.Token == "" || c.Issuer == "" || c.Revocations == nil || c.Verifier == nil {
		return nil, errors.New("admin: a token, an issuer, a verifier and revocations are required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	a := &Admin{Config: c, echo: echo.New(), digest: sha256.Sum256([]byte(c.Token))}
	a.echo.HideBanner, a.echo.HidePort = true, true
	a.echo.IPExtractor = echo.ExtractIPDirect()
	a.echo.HTTPErrorHandler = func(err error, c echo.Context) { a.answer(c, err) }
	a.echo.RouteNotFound("/*", func(echo.Context) error {
		return &problem.Details{Status: http.StatusNotFound, Code: "no_such_endpoint", Detail: "There is no such endpoint."}
	})
	a.mount()
	var err error
	if a.console, err = console.New(console.Config{API: a.echo, Issuer: c.Issuer, Log: c.Log}); err != nil {
		return nil, err
	}
	return a, nil
}

// ServeHTTP answers one request of the admin listener: a page of the console, or
// else an endpoint of the API.
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.console.Owns(r) {
		a.console.ServeHTTP(w, r)
		return
	}
	a.echo.ServeHTTP(w, r)
	a.count(w)
}

// mount groups the rows by path, so that a method that a path does not take is
// 405 with Allow.
func (a *Admin) mount() {
	byPath := map[string][]row{}
	for _, r := range a.rows() {
		byPath[r.path] = append(byPath[r.path], r)
	}
	for path, rows := range byPath {
		handler := a.serve(rows)
		// Unlike Any, which knows eleven methods, this takes every one.
		a.echo.RouteNotFound(path, handler)
	}
}

func (a *Admin) serve(rows []row) echo.HandlerFunc {
	var allow []string
	for _, r := range rows {
		allow = append(allow, r.method)
	}
	slices.Sort(allow)
	return func(c echo.Context) error {
		record := telemetry.From(c.Response().Writer)
		record.Route = "admin:" + rows[0].path
		if err := a.authorise(c, record); err != nil {
			return err
		}
		for _, r := range rows {
			if r.method == c.Request().Method {
				return a.run(c, r, record)
			}
		}
		c.Response().Header().Set("Allow", strings.Join(allow, ", "))
		return &problem.Details{Status: http.StatusMethodNotAllowed, Code: "method", Detail: fmt.Sprintf("This endpoint takes %s.", strings.Join(allow, ", "))}
	}
}

func (a *Admin) run(c echo.Context, r row, record *telemetry.Record) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), r.timeout)
	defer cancel()
	// The context does not end the wait for a body that comes byte by byte. A writer
	// without a connection (a test's) has no deadline to set.
	_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Now().Add(r.timeout))
	req := c.Request().WithContext(store.WithBudget(ctx, store.OpBudget))
	req.Body = http.MaxBytesReader(c.Response().Writer, req.Body, r.bodyLimit)
	c.SetRequest(req)
	c.Response().Header().Set("Cache-Control", "no-store")
	record.Decision = telemetry.Allow // an error sets another
	return a.perform(c, r)
}

// authorise compares digests, so that the comparison takes the same time
// whatever the length and content of what was sent.
func (a *Admin) authorise(c echo.Context, record *telemetry.Record) error {
	raw, refusal := problem.Bearer(c.Request().Header, []string{"Bearer"})
	given := sha256.Sum256([]byte(raw))
	if refusal == nil && raw != "" && subtle.ConstantTimeCompare(given[:], a.digest[:]) == 1 {
		return nil
	}
	record.Decision, record.Reason = telemetry.Deny, string(token.ReasonMissing)
	a.Log.Warn("an admin request was refused: no valid admin token", "method", c.Request().Method, "remote", record.Remote, "request_id", record.RequestID)
	c.Response().Header().Set("WWW-Authenticate", `Bearer realm="admin"`)
	return &problem.Details{
		Status: http.StatusUnauthorized, Code: "admin_token_required",
		Detail: "This listener takes an admin token: Authorization: Bearer <the value of TOLLGATE_ADMIN_TOKEN>.",
	}
}

const (
	jsonBody    = 64 << 10
	usualWait   = 10 * time.Second
	actorOfRoot = "admin"
)
