package issuer_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
)

// posts are all rows that take POST.
var posts = []string{"/api/token/", "/api/token/refresh/", "/api/token/verify/", "/api/token/blacklist/", "/api/logout/"}

// TestMethods: another method is answered here, with Allow, and never by rest.
func TestMethods(t *testing.T) {
	k := opened(t, issuerkit.Options{Rest: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })})
	for _, path := range posts {
		for _, path := range []string{path, strings.TrimSuffix(path, "/")} {
			for _, method := range []string{"GET", "PUT", "PATCH", "DELETE", "PROPFIND", "REPORT", "PURGE"} {
				a := k.Send(t, issuerkit.Request{Method: method, Path: path})
				want(t, a, http.StatusMethodNotAllowed, `{"detail":"Method \"`+method+`\" not allowed."}`)
			}
			a := k.Send(t, issuerkit.Request{Method: http.MethodHead, Path: path}).Must(t, http.StatusMethodNotAllowed)
			wantHeaders(t, a)
			wantHeaders(t, k.Send(t, issuerkit.Request{Method: http.MethodOptions, Path: path}).Must(t, http.StatusOK))
		}
	}
}

// TestSlashes: a row answers with and without its final slash, and at no other
// spelling.
func TestSlashes(t *testing.T) {
	k := opened(t, issuerkit.Options{Rest: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })})
	for _, path := range posts {
		for spelling, status := range map[string]int{
			path: 400, strings.TrimSuffix(path, "/"): 400,
			path + "x": http.StatusTeapot, strings.ToUpper(path): http.StatusTeapot, strings.TrimPrefix(path, "/api"): http.StatusTeapot,
		} {
			if path == "/api/logout/" && status == 400 {
				status = 401
			}
			if a := k.Post(t, spelling, nil); a.Status != status {
				t.Errorf("POST %s: %d, want %d: %s", spelling, a.Status, status, a.Body)
			}
		}
	}
}

// TestPrefixes: the prefix moves every row but the keys.
func TestPrefixes(t *testing.T) {
	for prefix, path := range map[string]string{"": "/token/verify/", "/id/v1": "/id/v1/token/verify"} {
		k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) { c.Prefix = prefix }})
		want(t, k.Post(t, path, nil), 400, `{"token":["This field is required."]}`)
		k.Post(t, "/api/token/verify/", nil).Must(t, http.StatusNotFound)
		k.Send(t, issuerkit.Request{Method: "GET", Path: "/.well-known/jwks.json"}).Must(t, http.StatusOK)
	}
}

// TestAccept: only a client that can take neither JSON nor a page is turned away,
// and before anything else is looked at.
func TestAccept(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	for accept, status := range map[string]int{
		"": 400, "application/json": 400, "application/json; indent=4": 400, "Application/JSON;q=0.5": 400, "*/*": 400, "application/*": 400,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": 400, "text/html": 400,
		"application/xml": 406, "application/xml, text/plain;q=0.2": 406, "application/jsonx": 406, "image/*": 406,
	} {
		for _, path := range posts {
			a := k.Send(t, issuerkit.Request{Path: path, Type: "application/json", Body: "[", Header: http.Header{"Accept": {accept}}})
			switch {
			case status == 406:
				want(t, a, 406, `{"detail":"Could not satisfy the request Accept header."}`)
			case path == "/api/logout/":
				a.Must(t, 401)
			default:
				a.Must(t, status)
			}
		}
	}
	a := k.Send(t, issuerkit.Request{Path: "/api/token/", Header: http.Header{"Accept": {"application/xml", "application/json"}}})
	a.Must(t, 400)
}

// TestAuthorizationIsIgnored: on the token endpoints no Authorization header
// counts, valid or not. A client whose token has expired must be able to refresh.
func TestAuthorizationIsIgnored(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	for _, header := range []http.Header{
		{"Authorization": {"Bearer garbage"}}, {"Authorization": {"Bearer"}}, {"Authorization": {"Bearer a b"}},
		{"Authorization": {"Bearer a", "Bearer b"}}, {"Authorization": {"Basic x"}}, {"Authorization": {""}}, {"Authorization": {"Bearer " + pair.Refresh}},
	} {
		for _, row := range []struct {
			path, body string
			status     int
		}{
			{"/api/token/", `{"username":"nobody","password":"nothing"}`, 401},
			{"/api/token/verify/", `{"token":"` + pair.Access + `"}`, 200},
			{"/api/token/refresh/", `{"refresh":"` + pair.Refresh + `"}`, 200},
			{"/api/token/blacklist/", `{"refresh":"garbage"}`, 401},
		} {
			a := k.Send(t, issuerkit.Request{Path: row.path, Type: "application/json", Body: row.body, Header: header})
			if a.Status != row.status {
				t.Errorf("%v at %s: %d %s", header, row.path, a.Status, a.Body)
			}
		}
	}
}

// TestHosts: with ISSUER_HOSTS the rows exist there alone, and elsewhere their
// paths are ordinary ones.
func TestHosts(t *testing.T) {
	rest := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "rest "+r.Method+" "+r.URL.Path)
	})
	k := opened(t, issuerkit.Options{Rest: rest, Issuer: func(c *issuer.Config) { c.Hosts = []string{"ID.example.com", "id.example.org"} }})
	for host, ours := range map[string]bool{
		"id.example.com": true, "id.example.com:8443": true, "Id.Example.COM.": true, "id.example.org.:443": true,
		"example.com": false, "x.id.example.com": false, "id.example.com.evil.test": false, "127.0.0.1": false, "[::1]:8080": false,
	} {
		for _, method := range []string{"POST", "GET", "DELETE", "PURGE"} {
			for _, path := range append([]string{"/.well-known/jwks.json", "/api/token/verify"}, posts...) {
				a := k.Send(t, issuerkit.Request{Method: method, Path: path, Host: host})
				if passed := a.Body == "rest "+method+" "+path; passed == ours {
					t.Errorf("%s %s on %s: %d %s", method, path, host, a.Status, a.Body)
				}
			}
		}
	}
}

// TestSlowBody: the time of a row bounds the wait for its body too.
func TestSlowBody(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the time of a row, 10 s")
	}
	t.Parallel()
	k := opened(t, issuerkit.Options{})
	issuerkit.WantBodyTimeout(t, k.URL, "POST /api/token/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
}

func TestNewRefusesAnIncompleteConfig(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	whole := issuer.Config{Verifier: k.Verifier, Revocations: k.Revocations, Users: k.Users, Sessions: k.Sessions, Sign: k.Ring.Sign}
	if _, err := issuer.New(whole); err == nil {
		t.Error("an issuer without keys to publish")
	}
	if _, err := issuer.New(issuer.Config{}); err == nil {
		t.Error("an issuer of nothing")
	}
}
