package gateway

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"tollgate/internal/ratelimit"
	"tollgate/internal/testkit"
)

func one(route string) string {
	return "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app, " + route + "}]\n"
}

// Over the rate: 429 with Retry-After, counted by subject, or by address where
// there is no subject; exact across edges, which share their Redis.
func TestRateIsExactAcrossEdges(t *testing.T) {
	_, client := testkit.MustMini(t)
	a := mustEdge(t, edgeOptions{routes: one("limits: {rate: 5/m, per: subject}"), limiter: ratelimit.NewRedis(client, "tg:")})
	b := mustEdge(t, edgeOptions{routes: one("limits: {rate: 5/m, per: subject}"), limiter: ratelimit.NewRedis(client, "tg:")})
	as := func(e *edge, sub string) int {
		res, body := e.get(t, "GET", "/", bearerOf(e.token(t, func(c map[string]any) { c["sub"] = sub }))...)
		if res.StatusCode == 429 && (res.Header.Get("Retry-After") == "" || !strings.Contains(body, `"reason":"rate"`) || !strings.Contains(body, "Request was throttled.")) {
			t.Errorf("429: %v %s", res.Header, body)
		}
		return res.StatusCode
	}
	passed := 0
	for i := range 12 {
		if as([]*edge{a, b}[i%2], "greedy") == 200 {
			passed++
		}
	}
	if passed != 5 {
		t.Errorf("%d of 12 passed on two edges, want 5", passed)
	}
	if got := as(a, "modest"); got != 200 {
		t.Errorf("another subject: %d", got)
	}
	a.wantMetric(t, `tollgate_auth_denied_total{reason="rate",route="all"}`)
}

func TestRateByAddress(t *testing.T) {
	_, client := testkit.MustMini(t)
	e := mustEdge(t, edgeOptions{routes: one("auth: {mode: none}, limits: {rate: 2/m, per: address}"), limiter: ratelimit.NewRedis(client, "tg:")})
	var got []int
	for range 3 {
		res, _ := e.get(t, "GET", "/", "X-Forwarded-For", fmt.Sprint("203.0.113.", len(got))) // an address is not the client's to choose
		got = append(got, res.StatusCode)
	}
	if fmt.Sprint(got) != "[200 200 429]" {
		t.Errorf("%v", got)
	}
}

// One network of IPv6 is one client, and IPv4 is IPv4 however it is written.
func TestRateByNetwork(t *testing.T) {
	_, client := testkit.MustMini(t)
	e := mustEdge(t, edgeOptions{
		routes: one("auth: {mode: none}, limits: {rate: 1/m, per: address}"), limiter: ratelimit.NewRedis(client, "tg:"),
		trusted: TrustedProxies{netip.MustParsePrefix("127.0.0.0/8")},
	})
	for _, c := range []struct {
		address string
		want    int
	}{
		{"2001:db8:1:2::1", 200}, {"2001:db8:1:2::1", 429}, {"2001:db8:1:2:ffff:1:2:3", 429}, {"2001:DB8:1:2::9%eth0", 429},
		{"2001:db8:1:3::1", 200}, {"2001:db8:1:3::2", 429},
		{"192.0.2.1", 200}, {"::ffff:192.0.2.1", 429}, {"::ffff:c000:201", 429}, {"::ffff:192.0.2.2", 200}, {"192.0.2.2", 429}, {"192.0.2.3", 200},
		{"fe80::1", 200}, {"fe80::2", 200}, {"fe80::2", 429},
	} {
		if res, _ := e.get(t, "GET", "/", "X-Forwarded-For", c.address); res.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.address, res.StatusCode, c.want)
		}
	}
}

// A refusal costs no place in the rate, and none is asked for without a limiter.
func TestRefusedRequestsAreNotCounted(t *testing.T) {
	_, client := testkit.MustMini(t)
	e := mustEdge(t, edgeOptions{routes: one("limits: {rate: 1/m}"), limiter: ratelimit.NewRedis(client, "tg:")})
	for range 3 {
		e.get(t, "GET", "/", "Authorization", "Bearer a.b.c")
	}
	if res, _ := e.get(t, "GET", "/", bearerOf(e.token(t))...); res.StatusCode != 200 {
		t.Errorf("%d", res.StatusCode)
	}
}

func TestBodyLimit(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: one("auth: {mode: none}, limits: {body: 1KiB}"), handler: func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return
		}
		fmt.Fprint(w, n)
	}})
	post := func(size int, chunked bool) int {
		var body io.Reader = strings.NewReader(strings.Repeat("x", size))
		if chunked {
			body = io.MultiReader(body) // of unknown length
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.URL+"/", body)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for _, c := range []struct {
		size    int
		chunked bool
		status  int
	}{{1024, false, 200}, {1024, true, 200}, {1025, false, 413}, {1025, true, 413}, {1 << 20, true, 413}, {0, false, 200}} {
		if got := post(c.size, c.chunked); got != c.status {
			t.Errorf("%d bytes, chunked %v: %d, want %d", c.size, c.chunked, got, c.status)
		}
	}
}

func TestTooManyQueryParameters(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: one("auth: {mode: none}")})
	for n, want := range map[int]int{999: 200, 1001: 400} {
		if res, _ := e.get(t, "GET", "/?"+strings.Repeat("a&", n)); res.StatusCode != want {
			t.Errorf("%d parameters: %d, want %d", n, res.StatusCode, want)
		}
	}
}

// Report-only decides, logs and counts, lets through, and vouches for nobody whom
// it would have refused.
func TestReportOnly(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: one("report_only: true, auth: {scopes: [admin]}")})
	for _, headers := range [][]string{nil, {"Authorization", "Bearer a.b.c"}, bearerOf(e.token(t))} {
		before := len(e.requests())
		res, body := e.get(t, "GET", "/", headers...)
		if res.StatusCode != 200 {
			t.Fatalf("%d %s", res.StatusCode, body)
		}
		if id := e.requests()[before].Header.Get("X-User-Id"); id != "" {
			t.Errorf("identity %q for a request that would be refused", id)
		}
	}
	for _, reason := range []string{"missing", "malformed", "scope"} {
		e.wantMetric(t, `tollgate_auth_would_deny_total{reason="`+reason+`",route="all"} 1`)
	}
	e.wantLine(t, map[string]any{"decision": "report", "reason": "missing", "status": 200.0})
	res, _ := e.get(t, "GET", "/", bearerOf(e.token(t, func(c map[string]any) { c["scope"] = "admin" }))...)
	if id := e.requests()[3].Header.Get("X-User-Id"); res.StatusCode != 200 || id != "42" {
		t.Errorf("a good token: %d, identity %q", res.StatusCode, id)
	}
}

func TestClaimRules(t *testing.T) {
	e := mustEdge(t, edgeOptions{routes: one(`auth: {claims: {tenant: acme, level: [1, 2], groups: [ops, dev], mfa: true, email: {present: true}}}`)})
	good := map[string]any{"tenant": "acme", "level": 2, "groups": []string{"x", "dev"}, "mfa": true, "email": "a@b"}
	with := func(name string, value any) int {
		res, body := e.get(t, "GET", "/", bearerOf(e.token(t, func(c map[string]any) {
			for k, v := range good {
				c[k] = v
			}
			if value == nil {
				delete(c, name)
			} else if name != "" {
				c[name] = value
			}
		}))...)
		if res.StatusCode == 403 && !strings.Contains(body, `"reason":"claim"`) {
			t.Errorf("%s: %s", name, body)
		}
		return res.StatusCode
	}
	if got := with("", ""); got != 200 {
		t.Errorf("all claims: %d", got)
	}
	for name, value := range map[string]any{"tenant": "ACME", "level": 3, "groups": []string{"x"}, "mfa": false, "email": nil} {
		if got := with(name, value); got != 403 {
			t.Errorf("%s = %v: %d, want 403", name, value, got)
		}
	}
}

// Report-only tries credentials out; the rate guards the back end all the same.
func TestReportOnlyKeepsTheRate(t *testing.T) {
	_, client := testkit.MustMini(t)
	e := mustEdge(t, edgeOptions{routes: one("report_only: true, limits: {rate: 2/m, per: subject}"), limiter: ratelimit.NewRedis(client, "tg:")})
	for name, headers := range map[string][]string{"nobody": nil, "somebody": bearerOf(e.token(t))} {
		var got []int
		for range 3 {
			res, _ := e.get(t, "GET", "/", headers...)
			got = append(got, res.StatusCode)
		}
		if fmt.Sprint(got) != "[200 200 429]" {
			t.Errorf("%s: %v", name, got)
		}
	}
	e.wantMetric(t, `tollgate_auth_denied_total{reason="rate",route="all"}`)
}
