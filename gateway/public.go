package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
)

// Public is the public listener: rows of the issuer that are mounted on its
// Echo, and behind them the routes. Every request passes the same checks of
// method and path first, whoever answers it.
type Public struct {
	echo *echo.Echo
	rest http.Handler
	cors *CORS
	once sync.Once
	rows map[string]bool // by path; written once
	// parents holds rows whose last segment is a parameter, by the path before it.
	parents map[string]bool
	// within holds the same paths with a final slash. Where no row goes on behind the
	// parameter, Echo lets it take in the whole rest of a path, slashes included.
	within []string
	// others says that there are rows of another form than these.
	others bool
}

// NewPublic returns the listener's handler. What no mounted row takes goes to
// rest: a *Gateway, or [NotFound] in a process without the gateway role.
//
// Cors are the origins whose pages may read the rows' answers; nil: none. Routes
// have their own.
func NewPublic(rest http.Handler, cors *CORS) *Public {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Logger.SetOutput(discard{})
	// The peer, never a header: which proxies are believed is decided in one
	// place (TrustedProxies).
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = answerError
	e.RouteNotFound(restPath, echo.WrapHandler(rest))
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if _, routes := rest.(*Gateway); routes && c.Path() == restPath {
				return next(c) // the gateway knows the route's rule
			}
			if cors.preflight(c.Response(), c.Request(), methods) {
				return nil
			}
			cors.apply(c.Response().Header(), c.Request())
			return next(c)
		}
	})
	return &Public{echo: e, rest: rest, cors: cors}
}

// Echo is where rows are mounted before the listener starts.
func (p *Public) Echo() *echo.Echo { return p.echo }

// Rest answers what no row takes.
func (p *Public) Rest() http.Handler { return p.rest }

// ServeHTTP answers one request.
func (p *Public) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isToken(r.Method) { // of HTTP/2: net/http itself refuses it of HTTP/1 alone
		p.allow(w, r)
		malformed(w, http.StatusBadRequest, "method", "The request's method is not acceptable.")
		return
	}
	// net/http keeps silent about a Transfer-Encoding on HTTP/1.0: what seems to
	// follow the body may be a part of it (RFC 9112 section 6.1). HTTP/2's connection
	// may be a proxy's, with others' requests on it.
	if r.ProtoMajor == 1 && (refusedMethod(r.Method) || r.ProtoMinor == 0 && r.ContentLength != 0) {
		w.Header().Set("Connection", "close")
	}
	if refusedMethod(r.Method) {
		if at, err := readTarget(r); err == nil && p.isRow(at.path) {
			p.echo.ServeHTTP(w, p.plain(r, at)) // it is not among the row's methods: 405, and Allow says which are
			return
		}
		p.allow(w, r)
		nobodysMethod(w, r)
		return
	}
	at, err := readTarget(r)
	if err != nil {
		p.allow(w, r)
		badTarget(w, err)
		return
	}
	if g, routes := p.rest.(*Gateway); routes && !p.mayBeRow(r, at) {
		g.serve(w, r, at) // where Echo would send it
		return
	}
	p.echo.ServeHTTP(w, p.plain(r, at))
}

// mayBeRow reports whether a request could be a row's, in any reading of its path.
func (p *Public) mayBeRow(r *http.Request, at target) bool {
	return p.isRow(at.path) || p.others || p.isRow(r.URL.Path) || p.isWithin(r.URL.Path) ||
		r.URL.RawPath != "" && (p.isRow(r.URL.RawPath) || p.isWithin(r.URL.RawPath))
}

// isWithin reports whether Echo could take a path for a row that ends in a parameter. It
// is asked only after isRow has said no.
func (p *Public) isWithin(path string) bool {
	for _, parent := range p.within {
		if strings.HasPrefix(path, parent) {
			return true
		}
	}
	return false
}

// allow lets pages of listed origins read a refusal that comes before anybody knows
// whether a row or a route would answer.
func (p *Public) allow(w http.ResponseWriter, r *http.Request) {
	p.cors.apply(w.Header(), r)
	if g, routes := p.rest.(*Gateway); routes {
		g.table.Load().cors.apply(w.Header(), r)
	}
}

// isToken reports whether a text is a token, RFC 9110 section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; !plainName(s[i:i+1]) && strings.IndexByte("!#$%&'*+.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// refusedMethod reports whether a method is nobody's: neither means anything to a
// back end, and both have opened holes in others (Traefik CVE-2026-71324).
func refusedMethod(method string) bool {
	return method == http.MethodConnect || method == http.MethodTrace
}

// nobodysMethod answers a request of a refused method that no row has answered.
func nobodysMethod(w http.ResponseWriter, r *http.Request) {
	malformed(w, http.StatusMethodNotAllowed, "method", fmt.Sprintf("Method %q not allowed.", r.Method))
}

// plain returns the request with its path unescaped, if that is the path of a row. Echo
// matches the path as it was written, and /api/%74oken/ must not lead past the row to a
// back end.
func (p *Public) plain(r *http.Request, at target) *http.Request {
	if r.URL.RawPath == "" || at.spelling != 0 || !p.isRow(at.path) {
		return r
	}
	plain := *r.URL
	plain.RawPath = ""
	out := r.WithContext(r.Context())
	out.URL = &plain
	return out
}

func (p *Public) isRow(path string) bool {
	p.once.Do(func() { // the first request comes after the last Mount
		p.rows, p.parents = map[string]bool{}, map[string]bool{}
		for _, route := range p.echo.Routes() {
			switch parent, name, found := strings.Cut(route.Path, "/:"); {
			case route.Path == restPath:
			case found && !strings.ContainsAny(strings.TrimSuffix(name, "/"), "/:*"):
				p.parents[parent] = true
				p.within = append(p.within, parent+"/")
			case strings.ContainsAny(route.Path, ":*"):
				p.others = true
			}
			p.rows[route.Path] = true
		}
	})
	at := strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/')
	return p.rows[path] || at > 0 && p.parents[path[:at]]
}

// restPath is the pattern of whatever no row takes.
const restPath = "/*"

// badTarget answers a request whose path or host has no one reading.
func badTarget(w http.ResponseWriter, err error) {
	if errors.Is(err, errHost) {
		malformed(w, http.StatusBadRequest, "host", "The request's Host is not acceptable.")
		return
	}
	malformed(w, http.StatusBadRequest, "path", "The request's path is not acceptable.")
}

// malformed answers a request that is refused before it has a route.
func malformed(w http.ResponseWriter, status int, class, detail string) {
	record := telemetry.From(w)
	record.Decision, record.Error = "deny", class
	problem.WriteDetail(w, status, detail)
}

// noRoute answers 404, or 405 with Allow where only the method has no route.
func noRoute(w http.ResponseWriter, r *http.Request, record *telemetry.Record, allow []string) {
	record.Decision = "deny"
	if allow == nil {
		record.Error = "no_route"
		problem.WriteDetail(w, http.StatusNotFound, "Not found.")
		return
	}
	record.Error = "method"
	w.Header().Set("Allow", strings.Join(allow, ", "))
	problem.WriteDetail(w, http.StatusMethodNotAllowed, fmt.Sprintf("Method %q not allowed.", r.Method))
}

// NotFound answers 404 to everything.
func NotFound() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		record := telemetry.From(w)
		record.Decision, record.Error = "deny", "no_route"
		problem.WriteDetail(w, http.StatusNotFound, "Not found.")
	})
}

// answerError answers what a row returns as an error. Echo's own texts are kept
// for its own errors; any other is a bare 500 whose text stays here.
func answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	record := telemetry.From(c.Response().Writer)
	var status int
	detail := "A server error occurred."
	if he := (*echo.HTTPError)(nil); errors.As(err, &he) {
		status = he.Code
		if text, ok := he.Message.(string); ok && status < 500 {
			detail = text
		}
	}
	if status == 0 {
		status = http.StatusInternalServerError
	}
	record.Decision, record.Error = "error", err.Error()
	problem.WriteDetail(c.Response().Writer, status, detail)
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
