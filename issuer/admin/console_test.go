package admin_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"tollgate/internal/telemetry"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/admin"
)

// person is somebody at the console of the kit.
type person struct {
	t    *testing.T
	kit  *issuerkit.Kit
	http *http.Client
}

func loggedIn(t *testing.T, k *issuerkit.Kit) *person {
	t.Helper()
	return loggedInAs(t, k, issuerkit.AdminToken)
}

func loggedInAs(t *testing.T, k *issuerkit.Kit, token string) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &person{t, k, &http.Client{Jar: jar}}
	if page := p.post("/login", url.Values{"token": {token}}); !strings.Contains(page, "Overview") {
		t.Fatalf("log in: %s", page)
	}
	return p
}

func (p *person) read(r *http.Response, err error) string {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %d %v %s", r.Request.URL, r.StatusCode, err, body)
	}
	// More than the first letters of a token, which a random id may have by chance.
	if strings.Contains(string(body), issuerkit.AdminToken) || regexp.MustCompile(`eyJhbGci[\w-]+\.|eyJ[\w-]+\.eyJ`).Match(body) {
		p.t.Errorf("%s: a token is in the page", r.Request.URL)
	}
	return string(body)
}

func (p *person) get(path string) string {
	p.t.Helper()
	return p.read(p.http.Get(p.kit.AdminURL + path))
}

func (p *person) post(path string, form url.Values) string {
	p.t.Helper()
	return p.read(p.http.PostForm(p.kit.AdminURL+path, form))
}

// TestConsoleEndsASession: found by the user's name, ended, and its tokens are refused.
// It goes the API's way: counted as the console's, logged with the request's id.
func TestConsoleEndsASession(t *testing.T) {
	k := opened(t, issuerkit.Options{Connections: 4})
	mine, other := k.MustLogin(t, "alice"), k.MustLogin(t, "bob")
	p := loggedIn(t, k)
	sid := issuerkit.Text(t, mine.Access, "sid")
	if page := p.get("/sessions?q=alice"); !strings.Contains(page, "1 live session of alice") || !strings.Contains(page, sid) {
		t.Fatalf("not found: %s", page)
	}
	if page := p.get("/sessions?q=" + sid); !strings.Contains(page, issuerkit.Text(t, mine.Refresh, "jti")) || !strings.Contains(page, issuerkit.Text(t, mine.Access, "jti")) {
		t.Errorf("its line is not shown: %s", page)
	}
	if page := p.post("/sessions/confirm", url.Values{"sid": {sid}, "subject": {"1"}}); !strings.Contains(page, "End 1 session?") || k.Verify(t, mine.Access) != 200 {
		t.Errorf("the question does it already: %s", page)
	}
	if page := p.post("/sessions/revoke", url.Values{"sid": {sid}, "subject": {"1"}}); !strings.Contains(page, "1 session was ended") || !strings.Contains(page, "0 live sessions") {
		t.Errorf("not told: %s", page)
	}
	if k.Verify(t, mine.Access) != 400 || k.Verify(t, other.Access) != 200 {
		t.Error("the wrong session has ended, or none")
	}
	if n := k.Metric(t, `tollgate_revocations_total{kind="session",source="console"}`); n != "1" {
		t.Errorf("counted %q", n)
	}
	if line := k.Logs.Last(t, "console:/sessions/revoke"); line["status"] != 303.0 {
		t.Errorf("logged %v", line)
	}
	if page := p.post("/sessions/everywhere", url.Values{"subject": {"2"}}); !strings.Contains(page, "Every session of 2") || k.Verify(t, other.Access) != 400 {
		t.Errorf("bob is still in: %s", page)
	}
}

// TestConsoleRevokesAndUndoes by the form of the page.
func TestConsoleRevokesAndUndoes(t *testing.T) {
	k := opened(t, issuerkit.Options{Connections: 4})
	pair := k.MustLogin(t, "alice")
	p := loggedIn(t, k)
	page := p.post("/revocations", url.Values{"kind": {"token"}, "value": {pair.Access}, "reason": {"lost <laptop>"}})
	if !strings.Contains(page, "lost &lt;laptop&gt;") || !strings.Contains(page, "in force") || k.Verify(t, pair.Access) != 400 {
		t.Fatalf("not revoked: %s", page)
	}
	undo := regexp.MustCompile(`action="(/revocations/[^"]+/undo)"`).FindStringSubmatch(page)
	if len(undo) == 0 {
		t.Fatal("it cannot be undone")
	}
	if page := p.post(undo[1], nil); !strings.Contains(page, "undone") || k.Verify(t, pair.Access) != 200 {
		t.Errorf("not undone: %s", page)
	}
}

// TestConsoleRevokesAKey: the ring's successor signs, what the key signed is refused.
func TestConsoleRevokesAKey(t *testing.T) {
	k := opened(t, issuerkit.Options{Connections: 4})
	pair := k.MustLogin(t, "alice")
	p := loggedIn(t, k)
	kid := k.Ring.Ring().Keys[0].ID
	if page := p.get("/keys/" + kid + "/revoke"); !strings.Contains(page, "What it costs") {
		t.Errorf("no cost: %s", page)
	}
	if page := p.post("/keys/"+kid+"/revoke", url.Values{"word": {kid[:6]}}); !strings.Contains(page, "every token that the key signed is refused") {
		t.Errorf("not told: %s", page)
	}
	if k.Verify(t, pair.Access) != 401 || k.Verify(t, k.MustLogin(t, "alice").Access) != 200 {
		t.Error("the key's tokens are taken, or its successor's are not")
	}
}

// TestStatusSettingsUpstreams: what the wiring hands in comes out.
func TestStatusSettingsUpstreams(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	history := telemetry.NewHistory(k.Metrics)
	a, err := admin.New(admin.Config{
		Token: issuerkit.AdminToken, Issuer: issuerkit.Issuer, Revocations: k.Revocations, Verifier: k.Verifier,
		Status: func(context.Context) admin.Status {
			return admin.Status{Instance: "one", Warnings: []string{"w"}, Activity: history.Samples(time.Now())}
		},
		Settings: func() []admin.Setting { return []admin.Setting{{Name: "TOLLGATE_X", Value: "1", Source: "default"}} },
	})
	if err != nil {
		t.Fatal(err)
	}
	k.MustReplaceAdmin(t, a)
	got := wantDone(t, k.Control(t, "GET", "/admin/v1/status", nil), 200)
	if got["instance"] != "one" || len(got["activity"].([]any)) != 1 {
		t.Errorf("status %v", got)
	}
	found := items(t, wantDone(t, k.Control(t, "GET", "/admin/v1/settings", nil), 200))
	if len(found) != 1 || found[0]["name"] != "TOLLGATE_X" {
		t.Errorf("settings %v", found)
	}
	wantProblem(t, k.Control(t, "GET", "/admin/v1/upstreams", nil), 404, "not_here")
}

// TestConsoleUndoesOwnCutOff: who has revoked everything is offered to undo it; another
// operator's or an administrator's statement is not offered.
func TestConsoleUndoesOwnCutOff(t *testing.T) {
	k := opened(t, issuerkit.Options{Connections: 4})
	others := k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": "all"}).Must(t, 201).Map(t)["id"].(string)
	_, operator := k.MustAdminToken(t, "operator")
	p := loggedInAs(t, k, operator)
	if page := p.get("/revocations/" + others); strings.Contains(page, "/undo") {
		t.Errorf("it is offered: %s", page)
	}
	page := p.post("/revocations", url.Values{"kind": {"all"}, "sure": {"yes"}})
	form := regexp.MustCompile(`action="(/revocations/[^"]+/undo)"`).FindStringSubmatch(page)
	if form == nil {
		t.Fatalf("it is not offered: %s", page)
	}
	if page := p.post(form[1], nil); !strings.Contains(page, "Undone.") {
		t.Errorf("%s", page)
	}
}
