package admin_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/internal/ratelimit"
	"tollgate/internal/testkit"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/admin"
	"tollgate/issuer/store"
)

// refusedCount is how many requests the admin listener refused for a reason.
func refusedCount(t *testing.T, k *issuerkit.Kit, reason string) int {
	t.Helper()
	n, err := strconv.Atoi(k.Metric(t, `tollgate_admin_refused_total{reason="`+reason+`"}`))
	if err != nil {
		t.Fatalf("%s: %v", reason, err)
	}
	return n
}

// TestAttacksOnTheAdminAPI: none does anything, and each is audited or counted.
func TestAttacksOnTheAdminAPI(t *testing.T) {
	k := opened(t, issuerkit.Options{Connections: 4})
	pair := k.MustLogin(t, "alice")
	sid := issuerkit.Text(t, pair.Access, "sid")
	_, viewer := k.MustAdminToken(t, "viewer")
	revokedID, revoked := k.MustAdminToken(t, "admin")
	if _, err := k.AdminTokens.Revoke(t.Context(), revokedID, "test"); err != nil {
		t.Fatal(err)
	}
	soon, expired, err := k.AdminTokens.Create(t.Context(), store.AdminToken{Name: "gone", Role: "admin", Expires: k.Now().Add(time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	k.Logs.Secret(expired)
	k.Advance(3 * time.Second)
	testkit.MustAwait(t, "the list to call it expired, by the time of day", func() bool { return time.Now().After(soon.Expires) })
	forged := viewer[:21] + strings.Repeat("A", 43)
	before := state(t, k, pair.Access)
	big := `{"username":"mallory","password":"` + strings.Repeat("x", 1<<20) + `"}`
	type attack struct {
		name, method, path, body, kind, token string
		header                                http.Header
		status                                []int
		reason                                string // counted; empty: only refused
	}
	attacks := []attack{
		{name: "no token", token: "-", reason: "missing"}, {name: "short token", token: viewer[:30], reason: "wrong"}, {name: "the right one's beginning", token: issuerkit.AdminToken[:20], reason: "wrong"},
		{name: "forged token", token: forged, reason: "wrong"}, {name: "revoked token", token: revoked, reason: "revoked"}, {name: "expired token", token: expired, reason: "expired"},
		{name: "a user's token", token: pair.Access, reason: "wrong"}, {name: "a viewer's write", token: viewer, reason: "role", status: []int{403}},
		{name: "override the method", method: "GET", token: viewer, header: http.Header{"X-Http-Method-Override": {"DELETE"}, "X-Method-Override": {"DELETE"}, "X-Http-Method": {"DELETE"}}, status: []int{200}},
		{name: "override by the query", method: "GET", path: "/admin/v1/sessions/" + sid + "?_method=DELETE", token: viewer, status: []int{200}},
		{name: "form as JSON", method: "POST", path: "/admin/v1/users", body: `{"username":"mallory","password":"long enough for this"}`, kind: "text/plain", token: "-", header: http.Header{"Origin": {"https://evil.example"}}, reason: "missing"},
		{name: "form of another site", method: "POST", path: "/admin/v1/keys/rotate", body: "now=true", kind: "application/x-www-form-urlencoded", token: "-", header: http.Header{"Sec-Fetch-Site": {"cross-site"}, "Cookie": {"tollgate_console=x"}}, reason: "missing"},
		{name: "1 MiB of nobody", method: "POST", path: "/admin/v1/users", body: big, token: "-", reason: "missing"},
		{name: "1 MiB of a viewer", method: "POST", path: "/admin/v1/users", body: big, token: viewer, status: []int{403}, reason: "role"},
		{name: "1 MiB of an admin", method: "POST", path: "/admin/v1/users", body: big, token: issuerkit.AdminToken, status: []int{413}},
		{name: "1 MiB to a reader", method: "POST", path: "/admin/v1/routes/check", body: big, token: viewer, status: []int{404, 413}},
	}
	for _, path := range []string{
		"//admin/v1/sessions/" + sid, "/admin//v1/sessions/" + sid, "/admin/v1/../v1/sessions/" + sid, "/admin/v1/x/../sessions/" + sid, "/admin/v1/%2e%2e/v1/sessions/" + sid,
		"/admin%2fv1%2fsessions%2f" + sid, "/admin/v1/sessions/" + sid + "/", "/admin/v1/sessions/" + sid + "/.", "/admin/v1/sessions." + "/" + sid, "/admin/v1./sessions/" + sid, "/ADMIN/V1/sessions/" + sid, "/admin/v1;x/sessions/" + sid,
	} {
		attacks = append(attacks, attack{name: "path " + path, path: path, token: viewer, status: []int{404, 403}}, attack{name: "path without a token " + path, path: path, token: "-", status: []int{404, 401}})
	}
	for _, c := range attacks {
		if c.method == "" {
			c.method = "DELETE"
		}
		if c.path == "" {
			c.path = "/admin/v1/sessions/" + sid
		}
		if c.status == nil {
			c.status = []int{401}
		}
		h := c.header.Clone()
		if h == nil {
			h = http.Header{}
		}
		if c.token != "-" {
			h.Set("Authorization", "Bearer "+c.token)
		}
		counted := 0
		if c.reason != "" {
			counted = refusedCount(t, k, c.reason)
		}
		a := k.Send(t, issuerkit.Request{Method: c.method, Path: c.path, Admin: true, Header: h, Type: c.kind, Body: c.body})
		good := false
		for _, s := range c.status {
			good = good || a.Status == s
		}
		if !good {
			t.Errorf("%s: %d %.200s", c.name, a.Status, a.Body)
		}
		if c.reason != "" && refusedCount(t, k, c.reason) != counted+1 {
			t.Errorf("%s was not counted", c.name)
		}
	}
	if after := state(t, k, pair.Access); after != before {
		t.Errorf("something was done:\n%s\n%s", before, after)
	}
	reasons := map[string]store.Line{}
	for _, l := range k.MustAudit(t, store.AuditFilter{Action: "access.refused"}, 5) {
		reasons[l.Detail] = l
	}
	for _, reason := range []string{"missing", "wrong", "revoked", "expired", "role"} {
		l := reasons[reason]
		if l.Outcome != "refused" || l.Remote != "127.0.0.1" || l.RequestID == "" || !strings.Contains(l.Target, " /admin/v1/") {
			t.Errorf("%s: %+v", reason, l)
		}
	}
	if reasons["revoked"].ActorID != revokedID || reasons["expired"].ActorID != soon.ID || reasons["role"].Actor != "the viewer" {
		t.Errorf("%+v", reasons)
	}
	noSecrets(t, k)
}

// noSecrets: nothing that was a secret in this test stands in the audit log.
func noSecrets(t *testing.T, k *issuerkit.Kit) {
	t.Helper()
	for _, stream := range []string{"t:{audit}:actions", "t:{audit}:events"} {
		for _, m := range k.Redis.XRange(t.Context(), stream, "-", "+").Val() {
			for _, v := range m.Values {
				_, _ = k.Logs.Write([]byte(`{"msg":"audit","value":` + strconv.Quote(v.(string)) + "}\n"))
			}
		}
	}
	for _, s := range k.Logs.Leaks() {
		t.Errorf("the audit log holds %q", s)
	}
}

// TestFormsOfOtherSites: the console refuses them before it reads them, and says so in
// the audit log.
func TestFormsOfOtherSites(t *testing.T) {
	k := opened(t, issuerkit.Options{Connections: 4})
	p := loggedIn(t, k)
	version := k.Ring.Ring().Version
	for _, header := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}}} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", k.AdminURL+"/keys/rotate", strings.NewReader(url.Values{"now": {"yes"}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = header
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := p.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusForbidden || k.Ring.Ring().Version != version {
			t.Errorf("%v: %d", header, res.StatusCode)
		}
	}
	if n := refusedCount(t, k, "origin"); n != 3 {
		t.Errorf("%d were counted", n)
	}
	lines := k.MustAudit(t, store.AuditFilter{Action: "access.refused"}, 1)
	if len(lines) != 1 || lines[0].Detail != "origin" || lines[0].Via != "console" || lines[0].Remote == "" {
		t.Errorf("%+v", lines)
	}
}

// TestWrongTokensAreThrottled: by address, without keeping out whoever has a right
// token, and without a line for each.
func TestWrongTokensAreThrottled(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	_, good := k.MustAdminToken(t, "viewer")
	a, err := admin.New(admin.Config{
		Token: issuerkit.AdminToken, Issuer: issuerkit.Issuer, Revocations: k.Revocations, Verifier: k.Verifier, Keys: k.Ring, Metrics: k.Metrics,
		AdminTokens: k.AdminTokens, Audit: k.Audit, Events: k.Events, Limiter: ratelimit.NewRedis(k.Redis, "t:"),
	})
	if err != nil {
		t.Fatal(err)
	}
	k.MustReplaceAdmin(t, a)
	statuses := map[int]int{}
	for i := range 60 {
		raw := "wrong"
		if i%2 == 0 {
			raw = good[:21] + strings.Repeat("A", 43)
		}
		got := as(t, k, raw, "GET", "/keys")
		statuses[got.Status]++
		if seconds, err := strconv.Atoi(got.Header.Get("Retry-After")); got.Status == 429 && (err != nil || seconds < 1 || !strings.Contains(got.Body, "too_many_wrong_tokens")) {
			t.Errorf("%v %s", got.Header, got.Body)
		}
		for _, right := range []string{good, issuerkit.AdminToken} {
			as(t, k, right, "GET", "/keys").Must(t, 200)
		}
	}
	if statuses[401] != 20 || statuses[429] != 40 {
		t.Errorf("%v", statuses)
	}
	k.Send(t, issuerkit.Request{Method: "GET", Path: "/admin/v1/keys", Admin: true}).Must(t, 401) // who brings none is told what is missing
	lines := k.MustAudit(t, store.AuditFilter{Action: "access.refused"}, 3)
	if len(lines) > 3 {
		t.Errorf("61 refusals left %d lines", len(lines))
	}
	if n := refusedCount(t, k, "rate") + refusedCount(t, k, "wrong"); n != 60 {
		t.Errorf("%d were counted", n)
	}
}

// TestRefusalsAreBounded: one line a minute for one address, a bounded number for all.
func TestRefusalsAreBounded(t *testing.T) {
	var r admin.Refusals
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	sum := 0
	for i := range 600 {
		sum += r.Note("one", now.Add(time.Duration(i)*time.Second))
	}
	if sum != 541 { // at each full minute the line for those before it; 59 are still to be told
		t.Errorf("lines stand for %d", sum)
	}
	now = now.Add(time.Hour)
	lines := 0
	for i := range 10_000 {
		if r.Note(strconv.Itoa(i), now) > 0 {
			lines++
		}
	}
	if lines != 60 {
		t.Errorf("%d lines in a minute", lines)
	}
	if n := r.Note("later", now.Add(time.Hour)); n != 1 {
		t.Errorf("an hour later: %d", n)
	}
}

// TestRefusalsAreToldAfterTheirMinute, although none follows, and at the end: each is
// told once.
func TestRefusalsAreToldAfterTheirMinute(t *testing.T) {
	var r admin.Refusals
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	if n := r.Note("one", now); n != 1 {
		t.Fatalf("the first is told with %d", n)
	}
	for range 9 {
		r.Note("one", now.Add(time.Second))
	}
	if due := r.Due(now.Add(59*time.Second), false); len(due) != 0 {
		t.Errorf("before its minute is over: %+v", due)
	}
	due := r.Due(now.Add(time.Minute), false)
	if len(due) != 1 || due[0].Count != 9 || due[0].Remote != "one" || due[0].Detail != "reason" {
		t.Errorf("%+v", due)
	}
	if due := r.Due(now.Add(10*time.Minute), true); len(due) != 0 {
		t.Errorf("told twice: %+v", due)
	}
	r.Note("two", now.Add(11*time.Minute))
	r.Note("two", now.Add(11*time.Minute))
	if due := r.Due(now.Add(11*time.Minute), true); len(due) != 1 || due[0].Count != 1 || due[0].Remote != "two" {
		t.Errorf("at the end: %+v", due)
	}
}

// TestNoRefusalIsForgotten: more addresses than are told apart are told together, in no
// more lines than there may be.
func TestNoRefusalIsForgotten(t *testing.T) {
	var r admin.Refusals
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	sum, most := 0, 3*admin.Keys
	for i := range most {
		sum += r.Note(strconv.Itoa(i), now.Add(time.Duration(i)*30*time.Millisecond))
	}
	now = now.Add(time.Hour)
	for minute := range 3 {
		lines := 0
		for second := range 6 {
			due := r.Due(now.Add(time.Duration(60*minute+10*second)*time.Second), false)
			for _, l := range due {
				sum += l.Count
			}
			lines += len(due)
		}
		if lines > 60 || minute == 0 && lines < 60 {
			t.Errorf("minute %d: %d lines", minute, lines)
		}
	}
	together := false
	for _, l := range r.Due(now.Add(3*time.Minute), true) {
		sum += l.Count
		together = together || l.Remote == ""
	}
	if sum != most {
		t.Errorf("%d of %d were told", sum, most)
	}
}

// TestRefusalsOfTheAPIAreTold: those that were held back are in the log when it ends.
func TestRefusalsOfTheAPIAreTold(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	events := store.NewAuditQueue(k.Audit, nil, nil)
	a, err := admin.New(admin.Config{
		Token: issuerkit.AdminToken, Issuer: issuerkit.Issuer, Revocations: k.Revocations, Verifier: k.Verifier, Metrics: k.Metrics, Audit: k.Audit, Events: events,
	})
	if err != nil {
		t.Fatal(err)
	}
	k.MustReplaceAdmin(t, a)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- events.Run(ctx) }()
	for range 5 {
		as(t, k, "wrong", "DELETE", "/users/x").Must(t, 401)
	}
	k.MustAudit(t, store.AuditFilter{Action: "access.refused"}, 1)
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	lines := k.MustAudit(t, store.AuditFilter{Action: "access.refused"}, 2)
	if len(lines) != 2 || lines[0].Count != 4 || lines[0].Remote == "" || lines[0].Target != "DELETE /admin/v1/users/:name" || lines[1].Count > 1 {
		t.Errorf("%+v", lines)
	}
}
