package issuer_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
)

// seedRow is one behaviour that was observed on SimpleJWT: what is asked, and what it
// answers. Line is the section of the observation. In auth, body and want {access},
// {refresh}, {sliding}, {token TYPE …} and {bob.refresh} stand for tokens of a log-in
// of the row's own; see suite.fill.
type seedRow struct {
	line, name   string
	method, path string // default POST
	kind         string // Content-Type; default JSON where there is a body
	auth         string // Authorization; empty: none
	body         string
	status       int
	want         string // JSON; empty: not looked at
}

// suite is a kit with what the rows refer to.
type suite struct {
	*issuerkit.Kit
}

var placeholder = regexp.MustCompile(`\{(bob\.)?(access|refresh|sliding|spent|ended|nojti|notype|noexp|expired|badsig|future|nokid)\}`)

// fill puts tokens in place of their names. Tokens of one text are of one log-in.
func (s suite) fill(t *testing.T, texts ...*string) {
	t.Helper()
	pairs := map[string]issuerkit.Pair{}
	login := func(name string) issuerkit.Pair {
		if _, done := pairs[name]; !done {
			pairs[name] = s.MustLogin(t, name)
		}
		return pairs[name]
	}
	forge := func(change func(map[string]any)) string {
		claims := issuerkit.Claims(t, login("alice").Refresh)
		change(claims)
		return s.MustForge(t, claims)
	}
	for _, text := range texts {
		*text = placeholder.ReplaceAllStringFunc(*text, func(word string) string {
			name := "alice"
			if strings.HasPrefix(word, "{bob.") {
				name = "bob"
			}
			switch strings.Trim(strings.TrimPrefix(word, "{bob."), "{}") {
			case "access":
				return login(name).Access
			case "refresh":
				return login(name).Refresh
			case "sliding":
				return mustSliding(t, s.Kit, name)
			case "spent":
				p := s.MustLogin(t, name)
				s.MustRefresh(t, p.Refresh)
				return p.Refresh
			case "ended":
				p := s.MustLogin(t, name)
				s.Post(t, "/api/token/blacklist/", map[string]any{"refresh": p.Refresh}).Must(t, 200)
				return p.Refresh
			case "nojti":
				return forge(func(c map[string]any) { delete(c, "jti") })
			case "notype":
				return forge(func(c map[string]any) { delete(c, "token_type"); c["exp"] = s.Now().Unix() + 60 })
			case "noexp":
				return forge(func(c map[string]any) { delete(c, "exp") })
			case "expired":
				return forge(func(c map[string]any) { c["iat"], c["exp"] = s.Now().Unix()-100, s.Now().Unix()-50 })
			case "future":
				return forge(func(c map[string]any) { c["nbf"] = s.Now().Unix() + 60 })
			case "nokid":
				parts := strings.Split(login(name).Refresh, ".")
				return "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IngifQ." + parts[1] + "." + parts[2]
			}
			parts := strings.Split(login(name).Refresh, ".") // badsig: the payload of another token
			return parts[0] + "." + strings.Split(login("bob").Refresh, ".")[1] + "." + parts[2]
		})
	}
}

// seeds are the rows of the observations, in their order.
var seeds = []seedRow{
	{line: "1 token", name: "log-in refused", path: "/api/token/", body: `{"username":"alice","password":"wrong"}`, status: 401, want: noAccount},
	{line: "1 token", name: "unknown name", path: "/api/token/", body: `{"username":"nobody","password":"wrong"}`, status: 401, want: noAccount},
	{line: "1 token", name: "inactive", path: "/api/token/", body: `{"username":"carol","password":"` + issuerkit.Password + `"}`, status: 401, want: noAccount},
	{line: "1 token", name: "an invalid Authorization is ignored", path: "/api/token/", auth: "Bearer garbage", body: `{"username":"alice","password":"` + issuerkit.Password + `"}`, status: 200},
	{line: "1 token", name: "names have case", path: "/api/token/", body: `{"username":"Alice","password":"` + issuerkit.Password + `"}`, status: 401, want: noAccount},
	{line: "1 refresh", name: "garbage", path: "/api/token/refresh/", body: `{"refresh":"garbage"}`, status: 401, want: invalid},
	{line: "1 refresh", name: "ended", path: "/api/token/refresh/", body: `{"refresh":"{ended}"}`, status: 401, want: blacklisted},
	{line: "1 verify", name: "access", path: "/api/token/verify/", body: `{"token":"{access}"}`, status: 200, want: `{}`},
	{line: "1 verify", name: "refresh", path: "/api/token/verify/", body: `{"token":"{refresh}"}`, status: 200, want: `{}`},
	{line: "1 verify", name: "sliding", path: "/api/token/verify/", body: `{"token":"{sliding}"}`, status: 200, want: `{}`},
	{line: "1 verify", name: "blacklisted", path: "/api/token/verify/", body: `{"token":"{ended}"}`, status: 400, want: blacklisted4},
	{line: "1 blacklist", name: "refresh", path: "/api/token/blacklist/", body: `{"refresh":"{refresh}"}`, status: 200, want: `{}`},
	{line: "1 blacklist", name: "already", path: "/api/token/blacklist/", body: `{"refresh":"{ended}"}`, status: 401, want: blacklisted},
	{line: "1 blacklist", name: "expired", path: "/api/token/blacklist/", body: `{"refresh":"{expired}"}`, status: 401, want: expired},
	{line: "1 blacklist", name: "sliding", path: "/api/token/blacklist/", body: `{"refresh":"{sliding}"}`, status: 401, want: wrongType},
	{line: "1 sliding", name: "log-in refused", path: "/api/token/sliding/", body: `{"username":"alice","password":"wrong"}`, status: 401, want: noAccount},
	{line: "1 sliding", name: "fields", path: "/api/token/sliding/", body: `{"password":""}`, status: 400, want: `{"username":["This field is required."],"password":["This field may not be blank."]}`},
	{line: "1 sliding refresh", name: "garbage", path: "/api/token/sliding/refresh/", body: `{"token":"garbage"}`, status: 401, want: invalid},
	{line: "1 sliding refresh", name: "fields", path: "/api/token/sliding/refresh/", body: `{"refresh":"x"}`, status: 400, want: `{"token":["This field is required."]}`},

	{line: "1 field errors", name: "missing", path: "/api/token/refresh/", body: `{}`, status: 400, want: `{"refresh":["This field is required."]}`},
	{line: "1 field errors", name: "null", path: "/api/token/refresh/", body: `{"refresh":null}`, status: 400, want: `{"refresh":["This field may not be null."]}`},
	{line: "1 field errors", name: "blank", path: "/api/token/refresh/", body: `{"refresh":"  "}`, status: 400, want: `{"refresh":["This field may not be blank."]}`},
	{line: "1 field errors", name: "list", path: "/api/token/refresh/", body: `{"refresh":[]}`, status: 400, want: `{"refresh":["Not a valid string."]}`},
	{line: "1 field errors", name: "object", path: "/api/token/refresh/", body: `{"refresh":{}}`, status: 400, want: `{"refresh":["Not a valid string."]}`},
	{line: "1 field errors", name: "bool", path: "/api/token/refresh/", body: `{"refresh":true}`, status: 400, want: `{"refresh":["Not a valid string."]}`},
	{line: "1 field errors", name: "a number is text", path: "/api/token/refresh/", body: `{"refresh":1}`, status: 401, want: invalid},
	{line: "1 field errors", name: "NUL", path: "/api/token/refresh/", body: `{"refresh":"\u0000"}`, status: 400, want: `{"refresh":["Null characters are not allowed."]}`},
	{line: "1 whole body", name: "bad JSON", path: "/api/token/refresh/", body: `{"refresh"`, status: 400},
	{line: "1 whole body", name: "array", path: "/api/token/refresh/", body: `[]`, status: 400, want: `{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}`},
	{line: "1 whole body", name: "text", path: "/api/token/refresh/", body: `"x"`, status: 400, want: `{"non_field_errors":["Invalid data. Expected a dictionary, but got str."]}`},
	{line: "1 whole body", name: "null", path: "/api/token/refresh/", body: `null`, status: 400, want: `{"non_field_errors":["No data provided"]}`},
	{line: "1 whole body", name: "empty", path: "/api/token/refresh/", status: 400, want: `{"refresh":["This field is required."]}`},
	{line: "1 whole body", name: "another type", path: "/api/token/refresh/", kind: "text/plain", body: `x`, status: 415, want: `{"detail":"Unsupported media type \"text/plain\" in request."}`},
	{line: "1 whole body", name: "another method", method: "GET", path: "/api/token/sliding/", status: 405, want: `{"detail":"Method \"GET\" not allowed."}`},
	{line: "1 whole body", name: "BOM", path: "/api/token/refresh/", body: "\ufeff{}", status: 400},
	{line: "1 whole body", name: "last of two members", path: "/api/token/refresh/", body: `{"refresh":"{refresh}","refresh":"x"}`, status: 401, want: invalid},
	{line: "1 whole body", name: "no final slash", path: "/api/token/refresh", body: `{}`, status: 400, want: `{"refresh":["This field is required."]}`},
	{line: "1 whole body", name: "form", path: "/api/token/refresh/", kind: "application/x-www-form-urlencoded", body: "refresh={refresh}", status: 200},
	{line: "1 trimming", name: "token", path: "/api/token/verify/", body: `{"token":"  {refresh}\n"}`, status: 200, want: `{}`},

	{line: "1.1", name: "bad signature", path: "/api/token/refresh/", body: `{"refresh":"{badsig}"}`, status: 401, want: invalid},
	{line: "1.1", name: "unknown kid", path: "/api/token/refresh/", body: `{"refresh":"{nokid}"}`, status: 401, want: invalid},
	{line: "1.1", name: "nbf ahead", path: "/api/token/refresh/", body: `{"refresh":"{future}"}`, status: 401, want: invalid},
	{line: "1.1", name: "exp passed", path: "/api/token/refresh/", body: `{"refresh":"{expired}"}`, status: 401, want: expired},
	{line: "1.1", name: "wrong type", path: "/api/token/refresh/", body: `{"refresh":"{access}"}`, status: 401, want: wrongType},
	{line: "1.1", name: "no type", path: "/api/token/refresh/", body: `{"refresh":"{notype}"}`, status: 401, want: `{"detail":"Token has no type","code":"token_not_valid"}`},
	{line: "1.1", name: "no jti", path: "/api/token/refresh/", body: `{"refresh":"{nojti}"}`, status: 401, want: `{"detail":"Token has no id","code":"token_not_valid"}`},
	{line: "1.1", name: "no exp", path: "/api/token/refresh/", body: `{"refresh":"{noexp}"}`, status: 401, want: `{"detail":"Token has no 'exp' claim","code":"token_not_valid"}`},
	{line: "1.1", name: "a pair's token is not sliding", path: "/api/token/sliding/refresh/", body: `{"token":"{refresh}"}`, status: 401, want: wrongType},

	{line: "1.2", name: "no header", path: "/api/logout/", status: 401, want: noCredentials},
	{line: "1.2", name: "another scheme", path: "/api/logout/", auth: "Token {access}", status: 401, want: noCredentials},
	{line: "1.2", name: "bare token", path: "/api/logout/", auth: "{access}", status: 401, want: noCredentials},
	{line: "1.2", name: "scheme alone", path: "/api/logout/", auth: "Bearer", status: 401, want: badHeader},
	{line: "1.2", name: "three words", path: "/api/logout/", auth: "Bearer a b", status: 401, want: badHeader},
	{line: "1.2", name: "blanks between", path: "/api/logout/", auth: "Bearer  \t {access}", status: 200, want: goodbye},
	{line: "1.2", name: "bad token", path: "/api/logout/", auth: "Bearer garbage", status: 401, want: page("Token is invalid", "")},
	{line: "1.2", name: "a refresh token", path: "/api/logout/", auth: "Bearer {refresh}", status: 401, want: page("Token has wrong type", "")},
	{line: "1.2", name: "expired", path: "/api/logout/", auth: "Bearer {expired}", status: 401, want: page("Token is expired", "")},
	{line: "1.2", name: "blacklisted", path: "/api/logout/", auth: "Bearer {ended}", status: 401, want: page("Token has wrong type", "")},
	{line: "1.2", name: "the query is not read", path: "/api/logout/?access={access}", status: 401, want: noCredentials},

	{line: "1.5", name: "anonymous", path: "/api/logout/", body: `{"all":"1"}`, status: 401, want: noCredentials},
	{line: "1.5", name: "one", path: "/api/logout/", auth: "Bearer {access}", body: `{"refresh_token":"{refresh}"}`, status: 200, want: goodbye},
	{line: "1.5", name: "all", path: "/api/logout/", auth: "Bearer {access}", body: `{"all":"1"}`, status: 200, want: goodbyeAll},
	{line: "1.5", name: "all is Python's truth", path: "/api/logout/", auth: "Bearer {access}", body: `{"all":"0"}`, status: 200, want: goodbyeAll},
	{line: "1.5", name: "no refresh token", path: "/api/logout/", auth: "Bearer {access}", body: `{}`, status: 200, want: goodbye},
	{line: "1.5", name: "a sliding token logs out", path: "/api/logout/", auth: "Bearer {sliding}", status: 200, want: goodbye},
	{line: "1.5", name: "garbage, there 500", path: "/api/logout/", auth: "Bearer {access}", body: `{"refresh_token":"garbage"}`, status: 401, want: invalid},
	{line: "1.5", name: "an access token, there 500", path: "/api/logout/", auth: "Bearer {access}", body: `{"refresh_token":"{access}"}`, status: 401, want: wrongType},
	{line: "1.5", name: "over already, there 500", path: "/api/logout/", auth: "Bearer {access}", body: `{"refresh_token":"{ended}"}`, status: 200, want: goodbye},
	{line: "1.5", name: "an array, there 500", path: "/api/logout/", auth: "Bearer {access}", body: `[]`, status: 400, want: `{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}`},
	{line: "1.5", name: "somebody else's, there 200", path: "/api/logout/", auth: "Bearer {access}", body: `{"refresh_token":"{bob.refresh}"}`, status: 401, want: invalid},
}

const badHeader = `{"detail":"Authorization header must contain two space-delimited values","code":"bad_authorization_header"}`

// page is the body of a refused page.
func page(message, reason string) string {
	body := `{"detail":"Given token not valid for any token type","code":"token_not_valid","messages":[{"token_class":"AccessToken","token_type":"access","message":"` + message + `"}]`
	if reason != "" {
		body += `,"reason":"` + reason + `"`
	}
	return body + "}"
}

// TestSimpleJWTSuite walks the observations, sections 1, 1.1, 1.2 and 1.5. What is no
// one request (1.3, 1.4) is in TestSuiteClaims and TestSuiteRotation.
func TestSimpleJWTSuite(t *testing.T) {
	s := mustSuite(t)
	for _, row := range seeds {
		t.Run(row.line+" "+row.name, func(t *testing.T) {
			s.fill(t, &row.auth, &row.body)
			r := issuerkit.Request{Method: row.method, Path: row.path, Type: row.kind, Body: row.body, Header: http.Header{}}
			if r.Type == "" && r.Body != "" {
				r.Type = "application/json"
			}
			if strings.Contains(r.Path, "{access}") {
				s.fill(t, &r.Path)
			}
			if row.auth != "" {
				r.Header.Set("Authorization", row.auth)
			}
			a := s.Send(t, r)
			if row.want != "" {
				want(t, a, row.status, row.want)
				if a.Body != row.want { // the order of its members, too
					t.Errorf("body %s, want %s", a.Body, row.want)
				}
				return
			}
			wantHeaders(t, a.Must(t, row.status))
		})
	}
}
