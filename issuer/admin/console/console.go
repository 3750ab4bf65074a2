package console

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"tollgate/internal/telemetry"
)

// Config of the console. API is required.
type Config struct {
	// API answers every path under /admin/v1/ and authorises each request by its
	// admin token.
	API http.Handler
	// Issuer is ours, for the head of the pages.
	Issuer string
	// Log; nil: nothing is logged.
	Log *slog.Logger
	// Refused is told of a form that another site has sent; nil: nobody is.
	Refused func(*telemetry.Record)
	// Now is the time of the log-ins; nil: that of the machine.
	Now func() time.Time
}

// Console is the handler of the pages.
type Console struct {
	Config
	mux      *http.ServeMux
	guard    *http.CrossOriginProtection
	pages    map[string]*template.Template
	sessions *sessions
}

//go:embed assets templates
var files embed.FS

// New returns the handler.
func New(c Config) (*Console, error) {
	if c.API == nil {
		return nil, errors.New("console: the admin API is required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	out := &Console{Config: c, mux: http.NewServeMux(), guard: http.NewCrossOriginProtection(), sessions: newSessions(c.Now)}
	var err error
	if out.pages, err = parsePages(c.Now); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	for _, r := range rows() {
		out.mux.Handle(r.pattern, out.serve(r))
	}
	return out, nil
}

// Owns reports whether a request is for a page; all others are the API's.
func (c *Console) Owns(r *http.Request) bool {
	_, pattern := c.mux.Handler(r)
	return pattern != ""
}

// ServeHTTP answers a request for a page.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	// A form of another site is refused before anything is read: the cookie of the
	// log-in is SameSite=Strict already, which not every browser has always kept.
	if err := c.guard.Check(r); err != nil {
		record := telemetry.From(w)
		record.Route, record.Decision, record.Reason = "console", telemetry.Deny, "origin"
		if c.Refused != nil {
			c.Refused(record)
		}
		c.Log.Warn("a form of another site was refused", "remote", record.Remote, "request_id", record.RequestID)
		http.Error(w, "This form was sent by another site.", http.StatusForbidden)
		return
	}
	c.mux.ServeHTTP(w, r)
}

// policy lets a page load our style and our icon and send forms to us: no script at
// all, not even ours, and no frame around it.
const policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

type fromConsole struct{}

// From reports whether a request of the API was made by a page.
func From(ctx context.Context) bool { return ctx.Value(fromConsole{}) != nil }
