package admin

import (
	"context"
	"crypto/sha256"
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
	"tollgate/internal/ratelimit"
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
	// Token is the one of the configuration: of the role admin, and good without Redis.
	Token string
	// AdminTokens are the others; nil: there are none.
	AdminTokens *store.AdminTokens
	// Audit is where actions are written before they are done; nil: nowhere.
	Audit *store.Audit
	// Events takes what is told after the fact, such as refusals; nil: nobody does.
	Events *store.AuditQueue
	// Limiter counts wrong admin tokens by address; nil: nobody does.
	Limiter *ratelimit.Limiter
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
	// RedisTime is how long a request waits for Redis in all; 0: store.OpBudget.
	RedisTime time.Duration
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
	access  map[string]access // by method and path
	refused refusals
	waits   *waits
	tail    *store.AuditTail // nil without an audit log
}

// New returns the handler.
func New(c Config) (*Admin, error) {
	if c.Token == "" || c.Issuer == "" || c.Revocations == nil || c.Verifier == nil {
		return nil, errors.New("admin: a token, an issuer, a verifier and revocations are required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.RedisTime == 0 {
		c.RedisTime = store.OpBudget
	}
	a := &Admin{Config: c, echo: echo.New(), digest: sha256.Sum256([]byte(c.Token)), waits: newWaits()}
	if c.Audit != nil {
		a.tail = store.NewAuditTail(c.Audit, c.RedisTime)
	}
	a.echo.HideBanner, a.echo.HidePort = true, true
	a.echo.IPExtractor = echo.ExtractIPDirect()
	a.echo.HTTPErrorHandler = func(err error, c echo.Context) { a.answer(c, err) }
	a.echo.RouteNotFound("/*", func(echo.Context) error {
		c.Metrics.AdminRefused(telemetry.AdminNoEndpoint)
		return &problem.Details{Status: http.StatusNotFound, Code: "no_such_endpoint", Detail: "There is no such endpoint."}
	})
	var err error
	if a.access, err = accessByRow(a.rows()); err != nil {
		return nil, err
	}
	a.mount()
	c.Events.Collect(a.refused.due)
	if a.console, err = console.New(console.Config{API: a.echo, Issuer: c.Issuer, Log: c.Log, Refused: a.refusedForm}); err != nil {
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
	w.Header().Set("X-Content-Type-Options", "nosniff") // the texts in it are anybody's
	d := &deed{}                                        // filled in once it is known who asks
	a.echo.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), deedKey{}, d)))
	a.count(w, d.who)
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
		// All that the request asks of Redis is bounded together.
		c.SetRequest(c.Request().WithContext(store.WithBudget(c.Request().Context(), a.RedisTime)))
		who, err := a.authorise(c, record, rows[0].path)
		if err != nil {
			return err
		}
		d, begun := c.Request().Context().Value(deedKey{}).(*deed)
		if !begun { // the console asks by itself
			d = &deed{}
			c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), deedKey{}, d)))
		}
		d.who = who
		for _, r := range rows {
			if r.method == c.Request().Method {
				return a.run(c, r, record, who)
			}
		}
		c.Response().Header().Set("Allow", strings.Join(allow, ", "))
		return &problem.Details{Status: http.StatusMethodNotAllowed, Code: "method", Detail: fmt.Sprintf("This endpoint takes %s.", strings.Join(allow, ", "))}
	}
}

const (
	jsonBody  = 64 << 10
	usualWait = 10 * time.Second
)
