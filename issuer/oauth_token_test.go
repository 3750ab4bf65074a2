package issuer_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/revocation"
)

// TestClientCredentials is RFC 6749 section 4.4, with the claims of the token.
func TestClientCredentials(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{Audience: []string{"shop"}})
	c := mustClient(t, k, store.Client{ID: "reports", Scopes: []string{"shop:read", "shop:write"}})
	token, body := wantToken(t, sendForm(t, k, tokenPath, c.basic(), "grant_type", "client_credentials"))
	now := k.Now().Unix()
	if body["expires_in"] != json.Number("300") || body["scope"] != "shop:read shop:write" || len(body) != 4 {
		t.Errorf("%v", body)
	}
	claims := issuerkit.Claims(t, token)
	sid, _ := claims["sid"].(string)
	if birth, ok := revocation.Birth(sid); !ok || birth/1e6 != now {
		t.Errorf("born %d, now %d", birth, now)
	}
	want := map[string]any{
		"iss": issuerkit.Issuer, "sub": "reports", "client_id": "reports", "scope": "shop:read shop:write", "token_type": "access", "aud": "shop",
		"iat": jsonInt(now), "exp": jsonInt(now + 300), "jti": claims["jti"], "sid": sid,
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if k.Verify(t, token) != 200 {
		t.Error("the token is refused")
	}
	if got := k.Metric(t, `tollgate_tokens_issued_total{grant="client_credentials",kind="access"}`); got != "1" {
		t.Errorf("counted %q", got)
	}
	if line := k.Logs.Last(t, "issuer:oauth-token"); line["sub"] != "reports" || line["decision"] != "allow" || line["jti"] != claims["jti"] {
		t.Errorf("logged %v", line)
	}
}

func jsonInt(n int64) json.Number {
	text, _ := json.Marshal(n)
	return json.Number(text)
}

// TestClientToken: what a client may ask for, and what it gets.
func TestClientToken(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	plain := mustClient(t, k, store.Client{})
	bound := mustClient(t, k, store.Client{Scopes: []string{"a", "b"}, Audiences: []string{"x", "https://y.example/z"}, AccessTTL: time.Minute})
	long := mustClient(t, k, store.Client{AccessTTL: 24 * time.Hour})
	for name, row := range map[string]struct {
		client oauthClient
		pairs  []string
		code   string // of a refusal
		scope  any
		aud    any
		life   int64
	}{
		"nothing asked for":        {plain, nil, "", nil, nil, 300},
		"all":                      {bound, nil, "", "a b", []any{"x", "https://y.example/z"}, 60},
		"one scope":                {bound, []string{"scope", "b"}, "", "b", []any{"x", "https://y.example/z"}, 60},
		"a scope twice":            {bound, []string{"scope", " b  b"}, "", "b", []any{"x", "https://y.example/z"}, 60},
		"an empty scope is none":   {bound, []string{"scope", ""}, "", "a b", []any{"x", "https://y.example/z"}, 60},
		"a scope of another":       {bound, []string{"scope", "a c"}, "invalid_scope", nil, nil, 0},
		"a scope without any":      {plain, []string{"scope", "a"}, "invalid_scope", nil, nil, 0},
		"audience":                 {bound, []string{"audience", "x"}, "", "a b", "x", 60},
		"resource, RFC 8707":       {bound, []string{"resource", "https://y.example/z"}, "", "a b", "https://y.example/z", 60},
		"both":                     {bound, []string{"audience", "x", "audience", "x", "resource", "https://y.example/z"}, "", "a b", []any{"https://y.example/z", "x"}, 60},
		"audience of another":      {bound, []string{"audience", "z"}, "invalid_target", nil, nil, 0},
		"no audience is all":       {plain, []string{"audience", "z"}, "invalid_target", nil, nil, 0},
		"resource is no URI":       {bound, []string{"resource", "x"}, "invalid_target", nil, nil, 0},
		"resource with a fragment": {bound, []string{"resource", "https://y.example/z#"}, "invalid_target", nil, nil, 0},
		"cut to the server's life": {long, nil, "", nil, nil, 300},
		"unknown parameter":        {plain, []string{"foo", "bar"}, "", nil, nil, 300},
	} {
		t.Run(name, func(t *testing.T) {
			a := sendForm(t, k, tokenPath, row.client.basic(), append([]string{"grant_type", "client_credentials"}, row.pairs...)...)
			if row.code != "" {
				wantError(t, a, 400, row.code)
				return
			}
			token, body := wantToken(t, a)
			claims := issuerkit.Claims(t, token)
			exp, _ := claims["exp"].(json.Number).Int64()
			if life := exp - k.Now().Unix(); life != row.life || body["expires_in"] != jsonInt(row.life) || claims["scope"] != row.scope || body["scope"] != row.scope {
				t.Errorf("life %d, %v, %v", life, body, claims)
			}
			if diff := cmp.Diff(row.aud, claims["aud"]); diff != "" {
				t.Errorf("aud %s", diff)
			}
		})
	}
}

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

// TestClientAuthentication is RFC 6749 section 2.3.
func TestClientAuthentication(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{Issuer: func(c *issuer.Config) { c.Limiter = nil }})
	c := mustClient(t, k, store.Client{ID: "c.1"})
	other := mustClient(t, k, store.Client{})
	disabled := mustClient(t, k, store.Client{Disabled: true})
	keyed, _, err := k.Clients.Add(t.Context(), store.Client{JWKS: jwksOf(t, mustKeyPair(t, "k")), Grants: store.Grants()})
	if err != nil {
		t.Fatal(err)
	}
	basic := func(text string) http.Header {
		return http.Header{"Authorization": {"basic " + base64.StdEncoding.EncodeToString([]byte(text))}}
	}
	for name, row := range map[string]struct {
		header http.Header
		pairs  []string
		status int
		code   string
	}{
		"client_secret_basic":       {c.basic(), nil, 200, ""},
		"the scheme in lower case":  {basic(c.id + ":" + c.secret), nil, 200, ""},
		"escaped":                   {basic("c%2E1:" + c.secret), nil, 200, ""},
		"client_secret_post":        {nil, []string{"client_id", c.id, "client_secret", c.secret}, 200, ""},
		"Basic with its client_id":  {c.basic(), []string{"client_id", c.id}, 200, ""},
		"Basic with another":        {c.basic(), []string{"client_id", other.id}, 400, "invalid_request"},
		"two ways":                  {c.basic(), []string{"client_id", c.id, "client_secret", c.secret}, 400, "invalid_request"},
		"two ways, one an unknown":  {c.basic(), []string{"client_assertion", "x"}, 400, "invalid_request"},
		"id alone":                  {nil, []string{"client_id", c.id}, 401, "invalid_client"},
		"secret alone":              {nil, []string{"client_secret", c.secret}, 401, "invalid_client"},
		"wrong secret":              {basic(c.id + ":wrong"), nil, 401, "invalid_client"},
		"empty secret":              {basic(c.id + ":"), nil, 401, "invalid_client"},
		"secret of another":         {basic(c.id + ":" + other.secret), nil, 401, "invalid_client"},
		"unknown client":            {basic("nobody:" + c.secret), nil, 401, "invalid_client"},
		"disabled client":           {disabled.basic(), nil, 401, "invalid_client"},
		"no colon":                  {basic("x"), nil, 401, "invalid_client"},
		"bad escape":                {basic("%zz:x"), nil, 401, "invalid_client"},
		"not base64":                {http.Header{"Authorization": {"Basic ***"}}, nil, 401, "invalid_client"},
		"a secret where keys are":   {basic(keyed.ID + ":"), nil, 401, "invalid_client"},
		"hash in place of a secret": {basic(keyed.ID + ":e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), nil, 401, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			a := sendForm(t, k, tokenPath, row.header, append([]string{"grant_type", "client_credentials"}, row.pairs...)...)
			if row.status == 200 {
				wantToken(t, a)
				return
			}
			wantError(t, a, row.status, row.code)
		})
	}
	// Every failure reads the same.
	unknown := sendForm(t, k, tokenPath, basic("nobody:x"), "grant_type", "client_credentials")
	wrong := sendForm(t, k, tokenPath, basic(c.id+":x"), "grant_type", "client_credentials")
	if unknown.Body != wrong.Body {
		t.Errorf("%s and %s", unknown.Body, wrong.Body)
	}
}

// TestClientFailuresAreLimited: failures count, successes do not; then the secret
// itself is no way in, from that address.
func TestClientFailuresAreLimited(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	c, other := mustClient(t, k, store.Client{}), mustClient(t, k, store.Client{})
	for range 25 {
		c.mustToken(t, k)
	}
	wrong := oauthClient{c.id, "wrong"}
	for range 10 {
		wantError(t, sendForm(t, k, tokenPath, wrong.basic(), "grant_type", "client_credentials"), 401, "invalid_client")
	}
	for _, who := range []oauthClient{wrong, c} {
		for _, path := range []string{tokenPath, introspectPath, revokePath} {
			wantError(t, sendForm(t, k, path, who.basic(), "grant_type", "client_credentials", "token", "x"), 429, "temporarily_unavailable")
		}
	}
	if line := k.Logs.Last(t, "issuer:oauth-token"); line["reason"] != "rate" {
		t.Errorf("logged %v", line)
	}
	other.mustToken(t, k)
	k.Advance(time.Minute)
	c.mustToken(t, k)
}

// TestRotatedSecret: both secrets hold for the overlap.
func TestRotatedSecret(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	c := mustClient(t, k, store.Client{})
	_, secret, err := k.Clients.Rotate(t.Context(), c.id, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	next := oauthClient{c.id, secret}
	c.mustToken(t, k)
	next.mustToken(t, k)
	k.Advance(time.Hour)
	wantError(t, sendForm(t, k, tokenPath, c.basic(), "grant_type", "client_credentials"), 401, "invalid_client")
	next.mustToken(t, k)
}

// TestClientTokenIsRevocable: by jti, by subject exactly, by the issuer's cut-off; a
// token right after the cut-off lives.
func TestClientTokenIsRevocable(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	c := mustClient(t, k, store.Client{ID: "c"})
	one, two := c.mustToken(t, k), c.mustToken(t, k)
	revoke := func(kind revocation.Kind, value string) {
		t.Helper()
		if _, err := k.Revocations.Revoke(t.Context(), revocation.Order{Kind: kind, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	revoke(revocation.KindJTI, issuerkit.Text(t, one, "jti"))
	if active(t, k, c, one) || !active(t, k, c, two) {
		t.Error("by jti")
	}
	revoke(revocation.KindSubject, "c")
	if after := c.mustToken(t, k); active(t, k, c, two) || !active(t, k, c, after) {
		t.Error("by subject")
	}
	three := c.mustToken(t, k)
	revoke(revocation.KindAll, "")
	if after := c.mustToken(t, k); active(t, k, c, three) || !active(t, k, c, after) {
		t.Error("all")
	}
}

// TestClientIsNoUser: a client with a user's id gets no token (RFC 9068 section 5),
// and no client's token opens what is a user's own.
func TestClientIsNoUser(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	c := mustClient(t, k, store.Client{ID: "1"}) // alice's
	wantError(t, sendForm(t, k, tokenPath, c.basic(), "grant_type", "client_credentials"), 400, "unauthorized_client")
	other := mustClient(t, k, store.Client{ID: "c"})
	pair := k.MustLogin(t, "alice")
	exchanged := other.mustExchange(t, k, "subject_token", pair.Access, "subject_token_type", accessURN)
	for _, token := range []string{other.mustToken(t, k), exchanged} {
		for _, fields := range []map[string]any{nil, {"all": "1"}} {
			a := k.Post(t, "/api/logout/", fields, token)
			if a.Status != 403 || !strings.Contains(a.Body, `"reason":"claim"`) {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}
	}
	alive(t, k, pair)
}

// TestOAuthRefresh is RFC 6749 section 6 for the refresh token of a log-in.
func TestOAuthRefresh(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	c := mustClient(t, k, store.Client{})
	idle := mustClient(t, k, store.Client{Grants: []string{}})
	pair := k.MustLogin(t, "alice")
	ask := func(h http.Header, token string, more ...string) issuerkit.Answer {
		return sendForm(t, k, tokenPath, h, append([]string{"grant_type", "refresh_token", "refresh_token", token}, more...)...)
	}
	for name, row := range map[string]struct {
		a      issuerkit.Answer
		status int
		code   string
	}{
		"nothing":            {sendForm(t, k, tokenPath, nil, "grant_type", "refresh_token"), 400, "invalid_request"},
		"garbage":            {ask(nil, "x"), 400, "invalid_grant"},
		"access token":       {ask(nil, pair.Access), 400, "invalid_grant"},
		"scope":              {ask(nil, pair.Refresh, "scope", "a"), 400, "invalid_scope"},
		"wrong client":       {ask(oauthClient{c.id, "x"}.basic(), pair.Refresh), 401, "invalid_client"},
		"client not allowed": {ask(idle.basic(), pair.Refresh), 400, "unauthorized_client"},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, row.a, row.status, row.code) })
	}
	access, body := wantToken(t, ask(nil, pair.Refresh))
	next, _ := body["refresh_token"].(string)
	if body["expires_in"] != jsonInt(300) || len(body) != 4 || issuerkit.Text(t, access, "sid") != issuerkit.Text(t, pair.Access, "sid") {
		t.Errorf("%v", body)
	}
	if replayed, _ := wantToken(t, ask(nil, pair.Refresh)); issuerkit.Text(t, replayed, "jti") != issuerkit.Text(t, access, "jti") {
		t.Error("within the grace another pair was minted")
	}
	third, body := wantToken(t, ask(c.basic(), next))
	k.Advance(issuerkit.Grace + time.Second)
	// The first token is two generations old: reuse ends the session.
	a := ask(nil, pair.Refresh)
	wantError(t, a, 400, "invalid_grant")
	if line := k.Logs.Last(t, "issuer:oauth-token"); line["reason"] != "revoked" {
		t.Errorf("logged %v", line)
	}
	wantError(t, ask(nil, body["refresh_token"].(string)), 400, "invalid_grant")
	if k.Verify(t, third) != 400 {
		t.Error("the access token lives on")
	}
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
	k := opened(t, issuerkit.Options{})
	c := mustClient(t, k, store.Client{})
	pair := k.MustLogin(t, "alice")
	for path, pairs := range map[string][]string{
		tokenPath: {"grant_type", "client_credentials"}, revokePath: {"token", pair.Refresh}, introspectPath: {"token", pair.Access},
	} {
		k.Proxy.Freeze()
		begun := time.Now()
		a := sendForm(t, k, path, c.basic(), pairs...)
		if took := time.Since(begun); took > 1500*time.Millisecond {
			t.Errorf("%s took %s", path, took)
		}
		wantError(t, a, 503, "temporarily_unavailable")
		k.Proxy.Heal()
	}
	c.mustToken(t, k)
}

// TestIssue: what an operator may have signed.
func TestIssue(t *testing.T) {
	var i *issuer.Issuer
	k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) {
		c.Claims.Custom = []issuer.CustomClaim{{Claim: "mail", Attribute: "email"}, {Claim: "staff", Attribute: "is_staff"}}
		var err error
		if i, err = issuer.New(*c); err != nil {
			t.Fatal(err)
		}
	}})
	client := mustClient(t, k, store.Client{ID: "c", Scopes: []string{"a"}, AccessTTL: time.Minute})
	mustClient(t, k, store.Client{ID: "off", Disabled: true})
	for name, row := range map[string]struct {
		order  issuer.Order
		claims []string // beside those that every token has
		life   time.Duration
		err    error
	}{
		"user":           {issuer.Order{Subject: "1"}, []string{"mail", "staff", "user_id"}, 5 * time.Minute, nil},
		"short":          {issuer.Order{Subject: "1", TTL: time.Second}, []string{"mail", "staff", "user_id"}, time.Second, nil},
		"some claims":    {issuer.Order{Subject: "1", Claims: []string{"mail"}}, []string{"mail"}, 5 * time.Minute, nil},
		"no claims":      {issuer.Order{Subject: "1", Claims: []string{}, Scope: []string{"x", "y"}, Audience: []string{"z"}}, []string{"aud", "scope"}, 5 * time.Minute, nil},
		"client":         {issuer.Order{Client: "c"}, []string{"client_id", "scope"}, time.Minute, nil},
		"nobody":         {issuer.Order{}, nil, 0, issuer.ErrOrder},
		"both":           {issuer.Order{Subject: "1", Client: "c"}, nil, 0, issuer.ErrOrder},
		"unknown user":   {issuer.Order{Subject: "9"}, nil, 0, users.ErrNotFound},
		"unknown client": {issuer.Order{Client: "9"}, nil, 0, store.ErrNotFound},
		"disabled":       {issuer.Order{Client: "off"}, nil, 0, issuer.ErrOrder},
		"too long":       {issuer.Order{Subject: "1", TTL: time.Hour}, nil, 0, issuer.ErrOrder},
		"client's life":  {issuer.Order{Client: "c", TTL: 2 * time.Minute}, nil, 0, issuer.ErrOrder},
		"another claim":  {issuer.Order{Subject: "1", Claims: []string{"sub"}}, nil, 0, issuer.ErrOrder},
		"another scope":  {issuer.Order{Client: "c", Scope: []string{"b"}}, nil, 0, issuer.ErrOrder},
		"huge audience":  {issuer.Order{Subject: "1", Audience: []string{strings.Repeat("x", 9000)}}, nil, 0, issuer.ErrOrder},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := i.Issue(t.Context(), row.order)
			if row.err != nil {
				if !strings.HasPrefix(errText(err), row.err.Error()) {
					t.Errorf("%v, want %v", err, row.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if life := got.ExpiresAt.Sub(k.Now()); life != row.life || !active(t, k, client, got.Token) {
				t.Errorf("life %s", life)
			}
			var names []string
			for claim := range issuerkit.Claims(t, got.Token) {
				if !slices.Contains([]string{"iss", "sub", "sid", "jti", "iat", "exp", "token_type"}, claim) {
					names = append(names, claim)
				}
			}
			if slices.Sort(names); !slices.Equal(names, row.claims) {
				t.Errorf("claims %v, want %v", names, row.claims)
			}
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
