package issuer_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/store"
)

// TestTokenRequest is RFC 6749 sections 3.2 and 5.2: what is wrong with a request.
func TestTokenRequest(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	c := mustClient(t, k, store.Client{ID: "c"})
	idle := mustClient(t, k, store.Client{Grants: []string{}})
	const formType = "application/x-www-form-urlencoded"
	good := form("grant_type", "client_credentials")
	for name, row := range map[string]struct {
		mediaType, body string
		header          http.Header
		status          int
		code            string
	}{
		"no body":                 {formType, "", c.basic(), 400, "invalid_request"},
		"no type":                 {"", good, c.basic(), 400, "invalid_request"},
		"JSON":                    {"application/json", `{"grant_type":"client_credentials"}`, c.basic(), 400, "invalid_request"},
		"multipart":               {"multipart/form-data; boundary=x", good, c.basic(), 400, "invalid_request"},
		"charset":                 {formType + "; charset=UTF-8", good, c.basic(), 200, ""},
		"twice":                   {formType, good + "&" + good, c.basic(), 400, "invalid_request"},
		"twice, once empty":       {formType, good + "&scope=&scope=a", c.basic(), 400, "invalid_request"},
		"twice, unknown":          {formType, good + "&x=1&x=2", c.basic(), 400, "invalid_request"},
		"bad escape":              {formType, good + "&scope=%zz", c.basic(), 400, "invalid_request"},
		"not UTF-8":               {formType, good + "&scope=%ff", c.basic(), 400, "invalid_request"},
		"too large":               {formType, good + "&x=" + strings.Repeat("x", 70<<10), c.basic(), 413, "invalid_request"},
		"empty grant":             {formType, "grant_type=", c.basic(), 400, "invalid_request"},
		"password grant":          {formType, form("grant_type", "password", "username", "a", "password", "b"), c.basic(), 400, "unsupported_grant_type"},
		"authorization code":      {formType, form("grant_type", "authorization_code", "code", "b"), c.basic(), 400, "unsupported_grant_type"},
		"another case":            {formType, form("grant_type", "Client_Credentials"), c.basic(), 400, "unsupported_grant_type"},
		"grant not allowed":       {formType, good, idle.basic(), 400, "unauthorized_client"},
		"nobody":                  {formType, good, nil, 401, "invalid_client"},
		"Bearer is nobody":        {formType, good, issuerkit.Bearer("x"), 401, "invalid_client"},
		"two Authorization lines": {formType, good, http.Header{"Authorization": {c.basic().Get("Authorization"), "Basic eDp5"}}, 400, "invalid_request"},
		"in the URL alone":        {formType, "", nil, 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			path := tokenPath
			if name == "in the URL alone" {
				path += "?" + form("grant_type", "client_credentials", "client_id", c.id, "client_secret", c.secret)
			}
			a := k.Send(t, issuerkit.Request{Path: path, Type: row.mediaType, Body: row.body, Header: row.header})
			if row.code == "" {
				wantToken(t, a)
				return
			}
			wantError(t, a, row.status, row.code)
		})
	}
	for _, method := range []string{"GET", "PUT", "HEAD"} {
		a := k.Send(t, issuerkit.Request{Method: method, Path: tokenPath}).Must(t, 405)
		if a.Header.Get("Allow") != "POST, OPTIONS" {
			t.Errorf("Allow %q", a.Header.Get("Allow"))
		}
	}
	// Whatever a client says it takes: what stands there is JSON.
	header := c.basic()
	header.Set("Accept", "text/plain")
	wantToken(t, k.Send(t, issuerkit.Request{Path: tokenPath, Type: formType, Body: good, Header: header}))
}

// TestOAuthUnavailable: nobody can say, so nobody is refused as if he were wrong.
func TestOAuthUnavailable(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	c := mustClient(t, k, store.Client{})
	pair := k.MustLogin(t, "alice")
	k.Mini.Close()
	for name, a := range map[string]issuerkit.Answer{
		"client_credentials": sendForm(t, k, tokenPath, c.basic(), "grant_type", "client_credentials"),
		"refresh":            sendForm(t, k, tokenPath, nil, "grant_type", "refresh_token", "refresh_token", pair.Refresh),
		"revoke":             sendForm(t, k, revokePath, nil, "token", pair.Access),
		"introspect":         sendForm(t, k, introspectPath, c.basic(), "token", pair.Access),
	} {
		t.Run(name, func(t *testing.T) { wantError(t, a, 503, "temporarily_unavailable") })
	}
}

// TestOAuthIsBoundedWhenRedisHangs: as every row is (TestEveryRowIsBoundedWhenRedisHangs).
func TestOAuthIsBoundedWhenRedisHangs(t *testing.T) {
	k := opened(t, issuerkit.Options{RedisTime: store.OpBudget})
	c := mustClient(t, k, store.Client{})
	pair := k.MustLoginInTime(t, "alice")
	for path, pairs := range map[string][]string{
		tokenPath: {"grant_type", "client_credentials"}, revokePath: {"token", pair.Refresh}, introspectPath: {"token", pair.Access},
	} {
		k.Proxy.Freeze()
		begun := time.Now()
		a := sendForm(t, k, path, c.basic(), pairs...)
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%s took %s", path, took)
		}
		wantError(t, a, 503, "temporarily_unavailable")
		k.Proxy.Heal()
	}
	testkit.MustAwait(t, "a token", func() bool {
		return sendForm(t, k, tokenPath, c.basic(), "grant_type", "client_credentials").Status == 200
	})
}
