package deploy_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

// fleet is an issuer, an edge with a mirror and one that asks Redis about each request,
// on one guarded Redis, before one back end.
type fleet struct {
	*testing.T
	redis                *guarded
	issuer, edge, asking *interop.Tollgate
}

func mustFleet(t *testing.T, r *guarded, more interop.Env) *fleet {
	t.Helper()
	backend := interop.MustBackend(t)
	routes := interop.MustWrite(t, "routes.yaml", "version: 1\nupstreams:\n  app: { urls: [\"http://"+backend.Addr+"\"] }\nroutes:\n"+
		"  - { name: rated, match: { path: /rated/ }, upstream: app, limits: { rate: 100/s, per: subject } }\n"+
		"  - { name: app, match: { path: / }, upstream: app }\n")
	start := func(user string, settings interop.Env) *interop.Tollgate {
		for _, add := range []interop.Env{more, r.settings(user), {"ROUTES_FILE": routes}} {
			for k, v := range add {
				if settings[k] == "" {
					settings[k] = v
				}
			}
		}
		return interop.MustServe(t, settings)
	}
	f := &fleet{T: t, redis: r}
	address := testkit.MustFreeAddr(t)
	f.issuer = start("tollgate-issuer", interop.Env{"STATUS_LIST": "true", "LISTEN": address, "PUBLIC_URL": "http://" + address, "ISSUER": "http://" + address, "LOGIN_RATE": "1000/s"})
	f.issuer.URL = "http://" + address
	trusted := interop.MustWrite(t, "issuers.yaml", "issuers:\n  - { issuer: \""+f.issuer.URL+"\", jwks_url: \""+f.issuer.URL+"/.well-known/jwks.json\" }\n")
	edge := func(mode string) *interop.Tollgate {
		return start("tollgate-edge", interop.Env{
			"ENABLE_ISSUER": "false", "ENABLE_ADMIN": "false", "ISSUER": f.issuer.URL, "TRUSTED_ISSUERS_FILE": trusted, "REVOCATION_MODE": mode,
		})
	}
	f.edge, f.asking = edge("mirror"), edge("lookup")
	return f
}

// processes are all of them.
func (f *fleet) processes() []*interop.Tollgate {
	return []*interop.Tollgate{f.issuer, f.edge, f.asking}
}

// wantCalls waits until all say so of a token.
func (f *fleet) wantCalls(token string, status int) {
	f.Helper()
	for _, p := range f.processes() {
		for _, path := range []string{"/x", "/rated/x"} {
			p.MustAnswerWith(p.URL+path, token, status)
		}
	}
}

// logIn logs a user in.
func (f *fleet) logIn(name string) interop.Pair {
	f.Helper()
	return f.issuer.MustLogIn(f.T, name)
}

// command runs a command of tollgate against the issuer.
func (f *fleet) command(args ...string) {
	f.Helper()
	f.issuer.MustCommand(f.T, "", nil, args...)
}

// accounts does what a front end does, at the issuer.
func (f *fleet) accounts(p interop.Pair) {
	f.Helper()
	var next interop.Pair
	for _, step := range []struct {
		path, token string
		body        map[string]string
		out         any
	}{
		{"/api/token/refresh/", "", map[string]string{"refresh": p.Refresh}, &next},
		{"/api/token/verify/", "", map[string]string{"token": p.Access}, nil},
		{"/api/token/sliding/", "", map[string]string{"username": "ada", "password": interop.Password}, nil},
	} {
		if status := f.issuer.MustAnswer(f.T, step.path, step.token, step.body, step.out); status != http.StatusOK {
			f.Errorf("%s: %d", step.path, status)
		}
	}
	// The session of an earlier log-in ends by its refresh token.
	other := f.logIn("ada")
	if status := f.issuer.MustAnswer(f.T, "/api/token/blacklist/", "", map[string]string{"refresh": other.Refresh}, nil); status != http.StatusOK {
		f.Errorf("blacklist: %d", status)
	}
	f.wantCalls(other.Access, http.StatusUnauthorized)
	var claims struct {
		Status struct {
			List struct{ URI string } `json:"status_list"`
		}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(p.Access, ".")[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		f.Fatalf("claims: %v", err)
	}
	for _, where := range []string{claims.Status.List.URI, f.issuer.URL + "/.well-known/revocations"} {
		res, err := http.Get(where)
		if err != nil {
			f.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			f.Errorf("%s: %d", where, res.StatusCode)
		}
	}
}

// operate does what operators do, by the commands.
func (f *fleet) operate() {
	f.Helper()
	f.issuer.MustAddUser(f.T, "bob", "--email", "bob@example.com")
	bob := f.logIn("bob")
	f.issuer.MustCommand(f.T, "another long password", nil, "users", "passwd", "bob", "--password-stdin")
	for _, command := range []string{
		"users list", "users disable bob --yes", "users enable bob", "sessions list --subject 1", "edges", "keys list", "keys rotate --now --yes",
		"clients add reports --scope shop:read", "clients list", "clients rotate-secret reports --yes", "clients revoke reports --yes", "revocations list",
		"revoke subject nobody --yes", "edges", "audit --since 1h", "audit --outcome begun", "admin-tokens create on-call --role viewer", "admin-tokens list", "routes list",
	} {
		f.command(strings.Fields(command)...)
	}
	f.wantCalls(bob.Access, http.StatusUnauthorized) // disabled, and another password
	var made struct{ ID string }
	f.issuer.MustCommand(f.T, "", &made, "revoke", "jti", "a-jti", "--yes")
	f.command("unrevoke", made.ID)
	f.follow()
}

// follow waits for a line of the audit log as `audit --follow` does.
func (f *fleet) follow() {
	f.Helper()
	ask := func(query string) (page struct {
		Items []struct{ Action, Target string }
		Next  string
	}) {
		f.Helper()
		req, err := http.NewRequestWithContext(f.Context(), http.MethodGet, f.issuer.Admin+"/admin/v1/audit?"+query, http.NoBody)
		if err != nil {
			f.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+f.issuer.Env["ADMIN_TOKEN"])
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			f.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&page); err != nil || res.StatusCode != http.StatusOK {
			f.Fatalf("audit?%s: %d, %v", query, res.StatusCode, err)
		}
		return page
	}
	after := ask("after=now").Next
	f.command("revoke", "jti", "followed", "--yes")
	f.issuer.MustBecome("told of a followed line", func() bool {
		page := ask("wait=1s&after=" + url.QueryEscape(after))
		after = page.Next
		return slices.ContainsFunc(page.Items, func(i struct{ Action, Target string }) bool { return i.Target == "followed" })
	})
}

// doctor looks with the user that may only read: it sees everything but what CONFIG
// GET would tell, and the README says so.
func (f *fleet) doctor() {
	f.Helper()
	type report struct {
		Findings []struct{ Level, Check, Found string }
		Errors   int
	}
	look := func(user string) (checks []string) {
		d := *f.issuer
		d.Env = interop.Env{}
		for k, v := range f.issuer.Env {
			d.Env[k] = v
		}
		d.Env["REDIS_USERNAME"], d.Env["REDIS_PASSWORD"] = user, passwordOf(user)
		var got report
		d.MustCommand(f.T, "", &got, "doctor")
		for _, one := range got.Findings {
			if one.Level == "error" {
				f.Errorf("%s as %s: %s", one.Check, user, one.Found)
			}
			checks = append(checks, one.Check)
		}
		return checks
	}
	all, restricted := look(tester), look("tollgate-doctor")
	if !slices.Contains(restricted, "redis.forbidden") {
		f.Errorf("the doctor does not say what it could not see: %v", restricted)
	}
	readme := mustRead(f.T, "redis/README.md")
	for _, check := range all {
		if !slices.Contains(restricted, check) && !strings.Contains(readme, "`"+check+"`") {
			f.Errorf("the doctor as tollgate-doctor does not see %s, and redis/README.md does not say so", check)
		}
	}
}
