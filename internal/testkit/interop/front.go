package interop

import (
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
	"time"
)

// Front is a web server that asks tollgate about each request (forward-auth) and
// forwards to the application itself. Its routes are those of the examples:
//
//	/static/   public                     /reports/  GET only
//	/shop/     with or without a token    /search/   two in a minute
//	/staff/    the claim is_staff is true /          needs a token
type Front struct {
	Addr     string
	Tollgate *Tollgate
	Backend  *Backend
}

// identity are the headers that tell the back end who calls.
var identity = []string{"X-User-Id", "X-Token-Subject", "X-Token-Jti", "X-Token-Scope"}

// MustFront starts what stands behind a front: tollgate with an example's
// routes, and a back end. The caller sets Addr when the front itself runs.
func MustFront(t *testing.T, routes string, b *Backend) *Front {
	t.Helper()
	return &Front{Backend: b, Tollgate: MustServe(t, Env{
		"ROUTES_FILE": MustWrite(t, "routes.yaml", routes), "TRUSTED_PROXIES": "127.0.0.1/32", "CLAIMS": "is_staff=is_staff",
	})}
}

// Check holds the front to what the pipeline of tollgate's own proxy promises.
func (f *Front) Check(t *testing.T) {
	ada := f.Tollgate.MustAddUser(t, "ada")
	f.Tollgate.MustAddUser(t, "grace", "--staff")
	token, staff := f.Tollgate.MustLogIn(t, "ada").Access, f.Tollgate.MustLogIn(t, "grace").Access
	t.Run("identity", func(t *testing.T) { f.checkIdentity(t, token, ada) })
	t.Run("forged", func(t *testing.T) { f.checkForged(t, token, ada) })
	t.Run("refusals", func(t *testing.T) { f.checkRefusals(t, token, staff) })
	t.Run("paths", func(t *testing.T) { f.checkPaths(t) })
	t.Run("question", func(t *testing.T) { f.checkQuestion(t, token) })
	t.Run("rate", func(t *testing.T) { f.checkRate(t, token) })
	t.Run("revoked", func(t *testing.T) {
		f.Tollgate.MustRevoke(t, "jti", Claim(t, token, "jti"))
		f.refused(t, http.StatusUnauthorized, "GET", "/private", Bearer(token))
		f.passes(t, "GET", "/private", Bearer(staff))
	})
	t.Run("outage", func(t *testing.T) {
		fresh := f.Tollgate.MustLogIn(t, "grace").Access
		f.Tollgate.Redis.MustKill()
		// What is known of revocations counts for as long as max_stale says.
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if MustSend(t, f.Addr, "GET", "/private", Bearer(fresh)).Status == http.StatusServiceUnavailable {
				break
			}
		}
		f.refused(t, http.StatusServiceUnavailable, "GET", "/private", Bearer(fresh))
		f.passes(t, "GET", "/static/a.css")
	})
}

// passes expects the back end's answer.
func (f *Front) passes(t *testing.T, method, target string, lines ...string) Seen {
	t.Helper()
	return MustSend(t, f.Addr, method, target, lines...).MustSee(t)
}

// refused expects a status, and that the back end was not reached.
func (f *Front) refused(t *testing.T, status int, method, target string, lines ...string) Answer {
	t.Helper()
	before := f.Backend.Hits()
	a := MustSend(t, f.Addr, method, target, lines...)
	if a.Status != status {
		t.Errorf("%s %s: status %d, want %d: %s", method, target, a.Status, status, a.Body)
	}
	if f.Backend.Hits() != before {
		t.Errorf("%s %s reached the back end", method, target)
	}
	return a
}

func (f *Front) checkIdentity(t *testing.T, token, user string) {
	before := f.Backend.Hits()
	a := MustSendBody(t, f.Addr, "POST", "/private?page=1", "a body", Bearer(token))
	seen := a.MustSee(t)
	if f.Backend.Hits() != before+1 || seen.Method != "POST" || seen.URI != "/private?page=1" || seen.Body != "a body" {
		t.Errorf("%d requests; the last was %s %s with %q", f.Backend.Hits()-before, seen.Method, seen.URI, seen.Body)
	}
	f.wantIdentity(t, seen, user, Claim(t, token, "jti"))
	f.wantIdentity(t, f.passes(t, "GET", "/shop/1", Bearer(token)), user, Claim(t, token, "jti"))
}

// wantIdentity expects what tollgate says of the caller and nothing beside it in
// any spelling. An empty user is nobody.
func (f *Front) wantIdentity(t *testing.T, seen Seen, user, jti string) {
	t.Helper()
	want := map[string]string{"X-User-Id": user, "X-Token-Subject": user, "X-Token-Jti": jti, "X-Token-Scope": ""}
	for name, value := range want {
		got := seen.Spelt(name)
		if value == "" && strings.Join(got, "") == "" { // absent or empty
			continue
		}
		if !slices.Equal(got, []string{value}) {
			t.Errorf("%s %s: the back end got %s %q, want %q", seen.Method, seen.URI, name, got, value)
		}
	}
}

// checkForged sends each identity header as a client would who wants to be root,
// in every spelling, and has it named in Connection.
func (f *Front) checkForged(t *testing.T, token, user string) {
	spellings := []func(string) string{
		func(s string) string { return s },
		strings.ToLower,
		func(s string) string { return strings.ReplaceAll(s, "-", "_") },
		func(s string) string { return strings.Replace(s, "-", "_", 1) },
		func(s string) string { return strings.ReplaceAll(s, "-", ".") },
		func(s string) string { return s[:2] + strings.ReplaceAll(s[2:], "-", "_") },
		func(s string) string { return s + "_" },
	}
	for _, name := range identity {
		for _, spell := range spellings {
			for _, extra := range []string{"Accept: */*", "Connection: close, " + name, "Connection: " + spell(name)} {
				lines := []string{spell(name) + ": root", spell(name) + ": admin", extra}
				with := append(lines[:len(lines):len(lines)], Bearer(token))
				f.wantIdentity(t, f.passes(t, "GET", "/private", with...), user, Claim(t, token, "jti"))
				f.wantIdentity(t, f.passes(t, "GET", "/shop/1", lines...), "", "")
				f.wantIdentity(t, f.passes(t, "GET", "/static/a.css", lines...), "", "")
			}
		}
	}
}

func (f *Front) checkRefusals(t *testing.T, token, staff string) {
	const missing, invalid = `Bearer realm="api"`, `error="invalid_token"`
	cases := []struct {
		name, method, target, token string
		status                      int
		challenge, body             string
	}{
		{"no token", "GET", "/private", "", 401, missing, "Authentication credentials were not provided."},
		{"no token, POST", "POST", "/private", "", 401, missing, ""},
		{"not a token", "GET", "/private", "nonsense", 401, invalid, "token_not_valid"},
		{"a forged token", "GET", "/private", Forged(t, token), 401, invalid, "token_not_valid"},
		{"an altered token", "GET", "/shop/1", Altered(t, token), 401, invalid, "token_not_valid"},
		{"not staff", "GET", "/staff/", token, 403, "", ""},
		{"a method without a route", "POST", "/reports/1", token, 405, "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var lines []string
			if c.token != "" {
				lines = append(lines, Bearer(c.token))
			}
			a := f.refused(t, c.status, c.method, c.target, lines...)
			if got := a.Header["Www-Authenticate"]; c.challenge != "" && (len(got) != 1 || !strings.Contains(got[0], c.challenge)) {
				t.Errorf("the challenge is %q, want one with %q", got, c.challenge)
			}
			if !strings.Contains(a.Body, c.body) {
				t.Errorf("the body is %q, want one with %q", a.Body, c.body)
			}
		})
	}
	f.refused(t, http.StatusBadRequest, "GET", "/private", Bearer(token), Bearer(token))
	f.passes(t, "GET", "/staff/", Bearer(staff))
	f.passes(t, "GET", "/reports/1", Bearer(token))
	if a := MustSend(t, f.Addr, "HEAD", "/private", Bearer(token)); a.Status != http.StatusOK {
		t.Errorf("HEAD: status %d", a.Status)
	}
}

// checkPaths asks without a token for what needs one, by every way around that is
// known: a public prefix that is left again, and paths that two programs read in
// two ways.
func (f *Front) checkPaths(t *testing.T) {
	targets := []string{
		"/static/../private", "/static/%2e%2e/private", "/static/.%2e/private", "/static/..%2fprivate", "/static/%2e%2e%2fprivate",
		"/static/x/../../private", "/static/..;/private", "/static/..;a=b/private", "/static/;/../private", `/static/..\private`,
		"/static/..%5cprivate", "/static//../private", "/static/./../private", "//private", "///private", "/./private",
		"/private%00", "/static/%00/../../private", "/%70rivate", "/static%2f..%2fprivate", "/private;.css", "/private/.%2fstatic/",
		"/staticprivate", "/STATIC/a.css", "/private?/static/", "/private#/static/", "http://app.example.com/private",
		"http://app.example.com/static/../private", "/static/%2e%2e/%2e%2e/%2e%2e/private", "/static/%252e%252e/private%0a",
	}
	for _, target := range targets {
		before := f.Backend.Hits()
		a := MustSend(t, f.Addr, "GET", target)
		if a.Status < 400 || a.Status >= 500 || f.Backend.Hits() != before {
			t.Errorf("%s: status %d, %d requests reached the back end: %s", target, a.Status, f.Backend.Hits()-before, a.Body)
		}
	}
	for _, target := range []string{"/static/a.css", "/static/a%20b.css", "/static/%C3%A9.css", "/static/a?x=../private"} {
		seen := f.passes(t, "GET", target)
		if file, _, _ := strings.Cut(seen.URI, "?"); seen.URI != target || !strings.HasPrefix(path.Clean(file), "/static/") {
			t.Errorf("%s arrived as %s", target, seen.URI)
		}
	}
}

// checkQuestion has the client write the headers by which the front asks.
func (f *Front) checkQuestion(t *testing.T, token string) {
	for _, name := range []string{
		"X-Forwarded-Uri", "X-Original-Uri", "X-Original-URI", "X-Original-Url", "X-Rewrite-Url", "X_Original_Uri", "x_forwarded_uri",
	} {
		f.refused(t, http.StatusUnauthorized, "GET", "/private", name+": /static/a.css")
		f.passes(t, "GET", "/private", name+": /static/a.css", Bearer(token))
		f.refused(t, http.StatusForbidden, "GET", "/staff/", name+": /private", Bearer(token))
	}
	for _, name := range []string{"X-Forwarded-Method", "X-Original-Method", "X-HTTP-Method-Override"} {
		f.refused(t, http.StatusMethodNotAllowed, "POST", "/reports/1", name+": GET", Bearer(token))
	}
	// The front's own location of the question is nobody else's business.
	for _, target := range []string{"/_tollgate", "/auth/verify", "/auth/verify/static/a.css"} {
		if a := MustSend(t, f.Addr, "GET", target, "X-Forwarded-Uri: /static/a.css", "X-Forwarded-Method: GET"); a.Status < 400 {
			t.Errorf("%s: status %d", target, a.Status)
		}
	}
}

// checkRate goes over the rate of a route: an answer that is neither 401 nor 403
// gets through as it is.
func (f *Front) checkRate(t *testing.T, token string) {
	for range 10 {
		a := MustSend(t, f.Addr, "GET", "/search/", Bearer(token))
		if a.Status == http.StatusTooManyRequests {
			if a.Header.Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
			return
		}
		if a.Status != http.StatusOK {
			t.Fatalf("status %d: %s", a.Status, a.Body)
		}
	}
	t.Error("ten requests were let through")
}
