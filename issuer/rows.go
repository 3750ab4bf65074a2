package issuer

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tollgate/internal/problem"
	"tollgate/internal/telemetry"
	"tollgate/issuer/statuslist"
	"tollgate/issuer/store"
	"tollgate/keys"
)

// authenticator says how a row finds out who calls.
type authenticator string

const (
	// anonymous rows look at no Authorization header, valid or not: a client
	// whose access token has expired must still be able to refresh.
	anonymous authenticator = "none"
	// published rows serve a signed or public document: to anybody, and to the scripts
	// of any origin, in the one format that it has, whatever Accept says.
	published authenticator = "published"
	// bearer rows need a valid access token of ours.
	bearer authenticator = "bearer"
)

// row is one endpoint. No field has a usable zero value: the test of the table
// fails on one.
type row struct {
	name      string // route in the log and in metrics
	path      string // without final slash; both spellings exist where slash is true
	slash     slashes
	methods   []string
	bodyLimit int64 // bytes; -1: the row takes no body
	timeout   time.Duration
	auth      authenticator
	handle    func(i *Issuer, c *call) error
}

type slashes string

const (
	bothSlashes slashes = "both"
	exactPath   slashes = "exact"
)

const (
	tokenBody    = 64 << 10 // a token has at most 8 KiB; a form around it little more
	tokenTimeout = 10 * time.Second
)

// rows is the table of the public endpoints.
func (i *Issuer) rows() []row {
	post := []string{http.MethodPost, http.MethodOptions}
	get := []string{http.MethodGet, http.MethodHead, http.MethodOptions}
	rows := append(i.accountRows(), i.documents(get)...)
	rows = append(rows, []row{
		{"issuer:oauth-token", tokenPath, exactPath, post, tokenBody, tokenTimeout, anonymous, oauth((*Issuer).grant)},
		{"issuer:oauth-revoke", revokePath, exactPath, post, tokenBody, tokenTimeout, anonymous, oauth((*Issuer).revoke)},
		{"issuer:oauth-introspect", introspectPath, exactPath, post, tokenBody, tokenTimeout, anonymous, oauth((*Issuer).introspect)},
		{"issuer:jwks", "/.well-known/jwks.json", exactPath, get, -1, tokenTimeout, published, (*Issuer).jwks},
		{"issuer:token", i.Prefix + "/token", bothSlashes, post, tokenBody, tokenTimeout, anonymous, (*Issuer).obtain},
		{"issuer:refresh", i.Prefix + "/token/refresh", bothSlashes, post, tokenBody, tokenTimeout, anonymous, (*Issuer).refresh},
		{"issuer:verify", i.Prefix + "/token/verify", bothSlashes, post, tokenBody, tokenTimeout, anonymous, (*Issuer).verify},
		{"issuer:blacklist", i.Prefix + "/token/blacklist", bothSlashes, post, tokenBody, tokenTimeout, anonymous, (*Issuer).blacklist},
		{"issuer:logout", i.Prefix + "/logout", bothSlashes, post, tokenBody, tokenTimeout, bearerOrRefresh, (*Issuer).logout},
	}...)
	if i.Status != nil {
		rows = append(rows,
			row{"issuer:status", statuslist.ListPath + ":list", exactPath, get, -1, tokenTimeout, published, (*Issuer).statusList},
			row{"issuer:revocations", statuslist.RevocationsPath, exactPath, get, -1, tokenTimeout, published, (*Issuer).revocations})
	}
	return rows
}

// document reports whether a row serves a public document, which answers OPTIONS and
// whatever is asked for itself.
func (r row) document() bool { return strings.Contains(r.path, "/.well-known/") }

// negotiates reports whether a row has Django REST framework's rule about Accept.
func (r row) negotiates() bool { return !r.document() && !strings.HasPrefix(r.path, "/oauth/") }

func (r row) paths() []string {
	if r.slash == bothSlashes {
		return []string{r.path, r.path + "/"}
	}
	return []string{r.path}
}

// serve wraps a row's handler in what every row does.
func (i *Issuer) serve(r row) echo.HandlerFunc {
	allow := strings.Join(r.methods, ", ")
	return func(c echo.Context) error {
		w, req := c.Response().Writer, c.Request()
		record := telemetry.From(w)
		record.Route = r.name
		w.Header().Set("Allow", allow)
		// The context below ends work of ours, but not the wait for a body that comes
		// byte by byte, not even for one that the server only throws away after a
		// refusal. A writer without a connection (a test's) has no deadline to set.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(r.timeout))
		if r.negotiates() && !acceptable(req.Header) {
			i.answer(&call{w: w, r: req, record: record}, notAcceptable())
			return nil
		}
		if !slices.Contains(r.methods, req.Method) {
			record.Decision, record.Error = telemetry.Deny, "method"
			problem.WriteDetail(w, http.StatusMethodNotAllowed, fmt.Sprintf("Method %q not allowed.", req.Method))
			return nil
		}
		if r.bodyLimit >= 0 {
			req.Body = http.MaxBytesReader(w, req.Body, r.bodyLimit)
		}
		ctx, cancel := context.WithTimeout(req.Context(), r.timeout)
		defer cancel()
		ctx = store.WithBudget(ctx, i.RedisTime)
		call := &call{w: w, r: req.WithContext(ctx), record: record}
		if req.Method == http.MethodOptions && !r.document() {
			_ = call.reply(http.StatusOK, i.describe(r))
			return nil
		}
		if refusal := i.admit(r, call); refusal != nil {
			record.Decision, record.Reason, record.Error = telemetry.Deny, string(refusal.Reason), string(refusal.Fault)
			refusal.Scheme = i.Schemes[0]
			i.letGo(r, call, refusal)
			refusal.Write(w)
			return nil
		}
		if err := r.handle(i, call); err != nil {
			i.answer(call, err)
		}
		return nil
	}
}

func (i *Issuer) jwks(c *call) error {
	keys.Handler(i.Keys).ServeHTTP(c.w, c.r)
	return nil
}
