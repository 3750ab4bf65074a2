package console

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"tollgate/internal/telemetry"
)

// row is one page, or one thing that a page's form does.
type row struct {
	pattern string // of http.ServeMux
	open    bool   // needs no log-in
	handle  func(v *visit) error
}

// rows is the table of the console. A GET changes nothing.
func rows() []row {
	return []row{
		{"GET /{$}", true, overview},
		{"GET /login", true, start}, // the address of a log-in that failed
		{"POST /login", true, login},
		{"POST /logout", true, logout},
		{"GET /assets/{name}", true, asset},
		{"GET /sessions", false, listSessions},
		{"GET /sessions/{sid}", false, showSession},
		{"POST /sessions/confirm", false, confirmEnd},
		{"POST /sessions/revoke", false, endSessions},
		{"GET /sessions/everywhere", false, confirmEverywhere},
		{"POST /sessions/everywhere", false, endEverywhere},
		{"GET /revocations", false, listRevocations},
		{"POST /revocations", false, addRevocation},
		{"GET /revocations/{id}", false, showRevocation},
		{"POST /revocations/{id}/undo", false, undoRevocation},
		{"GET /check", false, checkPage},
		{"POST /check", false, checkToken},
		{"GET /keys", false, listKeys},
		{"POST /keys/rotate", false, rotateKeys},
		{"POST /keys/{kid}/retire", false, retireKey},
		{"GET /keys/{kid}/revoke", false, confirmKey},
		{"POST /keys/{kid}/revoke", false, revokeKey},
		{"GET /routes", false, listRoutes},
		{"POST /routes/reload", false, reloadRoutes},
		{"GET /users", false, listUsers},
		{"POST /users", false, addUser},
		{"GET /users/disable", false, toUsers}, // likewise: the page has no other address
		{"POST /users/disable", false, confirmDisable},
		{"POST /users/active", false, switchUser},
		{"GET /admin-tokens", false, listAdminTokens},
		{"POST /admin-tokens", false, addAdminToken},
		{"GET /admin-tokens/{id}/revoke", false, confirmAdminToken},
		{"POST /admin-tokens/{id}/revoke", false, revokeAdminToken},
		{"GET /audit", false, showAudit},
		{"GET /settings", false, showSettings},
	}
}

// Limits of one request to a page.
const (
	formLimit = 256 << 10 // bytes: a page of sessions may be ticked as a whole
	formTime  = 10 * time.Second
)

func (c *Console) serve(r row) http.Handler {
	_, path, _ := strings.Cut(r.pattern, " ")
	name := "console:" + path
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		v := &visit{console: c, w: w, r: req}
		record := telemetry.From(w)
		defer func() { record.Route = name }() // the API has put its own there
		// A writer without a connection (a test's) has no deadline to set.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(formTime))
		req.Body = http.MaxBytesReader(w, req.Body, formLimit)
		v.session = c.sessions.of(req)
		if err := v.run(r); err != nil {
			v.fail(err)
		}
	})
}

func (v *visit) run(r row) error {
	if v.session == nil && !r.open {
		if v.r.Method == http.MethodGet {
			return v.showLogin(http.StatusOK, "")
		}
		return v.showLogin(http.StatusOK, "Your log-in was over: nothing was done. Log in, and do it again.")
	}
	if v.r.Method == http.MethodPost {
		if err := v.r.ParseForm(); err != nil {
			return &refusal{Status: http.StatusBadRequest, Title: "The form could not be read", Detail: "It is larger than it may be, or no form."}
		}
	}
	if err := v.refuseRole(r); err != nil {
		return err
	}
	return r.handle(v)
}

// fail shows what went wrong. A log-in whose token the API takes no longer is over.
func (v *visit) fail(err error) {
	var refused *refusal
	if !errors.As(err, &refused) {
		telemetry.From(v.w).Decision = telemetry.Error
		v.console.Log.Error("a page could not be made", "error", err)
		refused = &refusal{Status: http.StatusInternalServerError, Title: "Internal Server Error", Detail: "The log of this process says more."}
	}
	if refused.Status == http.StatusUnauthorized {
		v.console.sessions.end(v.w, v.r)
		v.session = nil
		_ = v.showLogin(http.StatusOK, "Your token is no longer accepted. Log in again.")
		return
	}
	if absent(refused) {
		for _, e := range menu(v.section()) {
			if e.Here {
				refused.Title = e.Name
			}
		}
	}
	_ = v.show("refusal", refused.Status, &page{Title: refused.Title, Nav: v.section(), Data: refused})
}

// section is the entry of the menu under which a request is.
func (v *visit) section() string {
	first, _, _ := strings.Cut(strings.TrimPrefix(v.r.URL.Path, "/"), "/")
	return "/" + first
}
