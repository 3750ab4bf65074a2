package admin_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
)

// TestFaultyQueries: what a list cannot mean is refused by the name of the parameter; it
// is never taken for something else.
func TestFaultyQueries(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	place := func(text string) string { return url.QueryEscape(base64.RawURLEncoding.EncodeToString([]byte(text))) }
	for path, queries := range map[string]string{
		"audit":       "outcome=success outcome=Done wait=5s since=yesterday until=1 limit=0 limit=1001 limit=x cursor=x cursor=" + place("x") + " after=x after=" + place("1 x"),
		"revocations": "kind=token kind=JTI limit=0 limit=ten cursor=x cursor=1 cursor=1-2-3 cursor=-1-0 cursor=01-0",
		"sessions":    "limit=0 cursor=x cursor=0 cursor=0.x cursor=9.0 cursor=+0.1 cursor=0.01 subject=1&cursor=0.1",
		"users":       "limit=0 limit=1001 cursor=! cursor=eA== cursor=" + place("alice") + " cursor=" + place("alice\x00x") + " cursor=" + place("\x00c:1"),
		"clients":     "limit=0 limit=1e3 cursor=! cursor=" + place("-") + " cursor=" + place("a b"),
	} {
		for query := range strings.FieldsSeq(queries) {
			last := query[strings.LastIndexByte(query, '&')+1:]
			name, value, _ := strings.Cut(last, "=")
			a := k.Control(t, "GET", "/admin/v1/"+path+"?"+strings.ReplaceAll(query, value, url.QueryEscape(value)), nil)
			wantProblem(t, a, 400, "bad_request")
			if !strings.Contains(a.Body, "The parameter "+name+" ") {
				t.Errorf("%s?%s: %s", path, query, a.Body)
			}
		}
	}
	// What is empty is not asked about.
	for _, target := range []string{
		"audit?outcome=&wait=&since=&until=&cursor=&after=&limit=", "revocations?kind=&cursor=&limit=", "sessions?subject=&cursor=&limit=",
		"sessions?subject=1&cursor=", "users?cursor=&limit=", "clients?cursor=&limit=",
	} {
		k.Control(t, "GET", "/admin/v1/"+target, nil).Must(t, 200)
	}
}
