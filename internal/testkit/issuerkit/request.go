package issuerkit

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/contract"
	"tollgate/issuer/admin"
	"tollgate/issuer/users"
)

// Request is what Send sends. Only Path is needed.
type Request struct {
	Method string // default POST
	Path   string
	Host   string // default: the listener's own
	Type   string // Content-Type; empty: none
	Body   string
	Header http.Header // sent as it is, several values as several lines
	Admin  bool        // to the admin listener
}

// Answer is what came back, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

var tokenText = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`)

// Send sends a request and remembers every token in it and in its answer.
func (k *Kit) Send(tb testing.TB, r Request) Answer {
	tb.Helper()
	base := k.URL
	if r.Admin {
		base = k.AdminURL
	}
	if r.Method == "" {
		r.Method = http.MethodPost
	}
	var body io.Reader
	if r.Body != "" {
		body = strings.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(tb.Context(), r.Method, base+r.Path, body)
	must(tb, err)
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	if r.Type != "" {
		req.Header.Set("Content-Type", r.Type)
	}
	req.Host = r.Host
	res, err := k.client.Do(req)
	must(tb, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(tb, err)
	k.Logs.Secret(tokenText.FindAllString(r.Body+" "+string(text), -1)...)
	if r.Admin && strings.HasPrefix(r.Path, "/admin/v1/") {
		mustBeDescribed(tb, contract.Exchange{
			Method: r.Method, Target: r.Path, Header: req.Header, Body: r.Body, Status: res.StatusCode, AnswerHeader: res.Header, Answer: string(text),
		})
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: string(text)}
}

// described is the admin API as its document has it.
var described = sync.OnceValues(func() (*contract.Document, error) { return contract.Load(admin.OpenAPI()) })

// mustBeDescribed compares whatever a suite asks of the admin API with its document.
func mustBeDescribed(tb testing.TB, x contract.Exchange) {
	tb.Helper()
	doc, err := described()
	must(tb, err)
	for _, fault := range doc.Faults(x) {
		tb.Errorf("%s %s is not as openapi.yaml says: %s\n%d %s", x.Method, x.Target, fault, x.Status, x.Answer)
	}
}

// Bearer is the header with a token.
func Bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// Post sends fields as JSON, with an access token when one is given.
func (k *Kit) Post(tb testing.TB, path string, fields map[string]any, bearer ...string) Answer {
	tb.Helper()
	r := Request{Path: path, Type: "application/json"}
	if fields != nil {
		r.Body = encode(tb, fields)
	}
	if len(bearer) > 0 {
		r.Header = Bearer(bearer[0])
	}
	return k.Send(tb, r)
}

// Control sends a request with the admin token; a nil body is none.
func (k *Kit) Control(tb testing.TB, method, path string, body any) Answer {
	tb.Helper()
	r := Request{Method: method, Path: path, Admin: true, Header: Bearer(AdminToken)}
	if body != nil {
		r.Type, r.Body = "application/json", encode(tb, body)
	}
	return k.Send(tb, r)
}

func encode(tb testing.TB, v any) string {
	tb.Helper()
	text, err := json.Marshal(v)
	must(tb, err)
	return string(text)
}

// Must fails the test when the answer has another status.
func (a Answer) Must(tb testing.TB, status int) Answer {
	tb.Helper()
	if a.Status != status {
		tb.Fatalf("status %d, want %d: %s", a.Status, status, a.Body)
	}
	return a
}

// Map is the answer's JSON object; numbers are json.Number.
func (a Answer) Map(tb testing.TB) map[string]any {
	tb.Helper()
	return object(tb, []byte(a.Body))
}

// Into decodes the answer's JSON.
func (a Answer) Into(tb testing.TB, v any) {
	tb.Helper()
	if err := json.Unmarshal([]byte(a.Body), v); err != nil {
		tb.Fatalf("body %q: %v", a.Body, err)
	}
}

func object(tb testing.TB, text []byte) map[string]any {
	tb.Helper()
	var out map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		tb.Fatalf("%q is no JSON object: %v", text, err)
	}
	return out
}

// Pair is what a log-in hands out.
type Pair struct{ Access, Refresh string }

// Password is that of every user that MustUser makes without one.
const Password = "correct horse; battery 100% staple"

// MustUser adds an active user and returns it.
func (k *Kit) MustUser(tb testing.TB, n users.New) users.User {
	tb.Helper()
	if n.Password == "" {
		n.Password = Password
	}
	n.IsActive = true
	k.Logs.Secret(n.Password)
	u, err := k.Users.Add(tb.Context(), n)
	must(tb, err)
	return u
}

// MustLogin logs a user of MustUser in.
func (k *Kit) MustLogin(tb testing.TB, name string) Pair {
	tb.Helper()
	var p Pair
	k.Post(tb, "/api/token/", map[string]any{"username": name, "password": Password}).Must(tb, http.StatusOK).Into(tb, &p)
	return p
}

// MustLoginInTime is MustLogin where Options.RedisTime is short: whom a busy machine
// keeps too long asks again.
func (k *Kit) MustLoginInTime(tb testing.TB, name string) Pair {
	tb.Helper()
	var a Answer
	testkit.MustAwait(tb, "a log-in in time", func() bool {
		a = k.Post(tb, "/api/token/", map[string]any{"username": name, "password": Password})
		return a.Status != http.StatusServiceUnavailable
	})
	var p Pair
	a.Must(tb, http.StatusOK).Into(tb, &p)
	return p
}

// MustRefresh spends a refresh token.
func (k *Kit) MustRefresh(tb testing.TB, refresh string) Pair {
	tb.Helper()
	var p Pair
	k.Post(tb, "/api/token/refresh/", map[string]any{"refresh": refresh}).Must(tb, http.StatusOK).Into(tb, &p)
	return p
}

// Verify returns the status of verify for a token: 200 valid, 400 revoked, 401
// anything else.
func (k *Kit) Verify(tb testing.TB, token string) int {
	tb.Helper()
	return k.Post(tb, "/api/token/verify/", map[string]any{"token": token}).Status
}

// MustForge signs claims of the test's own with the issuer's key.
func (k *Kit) MustForge(tb testing.TB, claims map[string]any) string {
	tb.Helper()
	raw, _, err := k.Ring.Sign(tb.Context(), []byte(encode(tb, claims)), "JWT")
	must(tb, err)
	k.Logs.Secret(raw)
	return raw
}

// Claims returns the payload of a token, and Header its header. Nothing is checked.
func Claims(tb testing.TB, raw string) map[string]any { return part(tb, raw, 1) }

// Header returns the header of a token.
func Header(tb testing.TB, raw string) map[string]any { return part(tb, raw, 0) }

func part(tb testing.TB, raw string, n int) map[string]any {
	tb.Helper()
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		tb.Fatalf("%q is no token", raw)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[n])
	must(tb, err)
	return object(tb, text)
}

// Text returns a claim of a token as text.
func Text(tb testing.TB, raw, claim string) string {
	tb.Helper()
	s, ok := Claims(tb, raw)[claim].(string)
	if !ok {
		tb.Fatalf("claim %s is no text", claim)
	}
	return s
}

// Metric returns the value of one series, written as Prometheus writes it, "" when
// there is none.
func (k *Kit) Metric(tb testing.TB, series string) string {
	tb.Helper()
	rec := httptest.NewRecorder()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, "/metrics", nil)
	must(tb, err)
	k.Metrics.Handler().ServeHTTP(rec, req)
	for line := range strings.Lines(rec.Body.String()) {
		if value, found := strings.CutPrefix(line, series+" "); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
