//go:build interop

// Package django_test runs this folder's Django REST framework project, with
// Debian's djangorestframework-simplejwt, behind tollgate. It needs
// python3-djangorestframework-simplejwt, python3-cryptography and redis-server.
package django_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

func TestMain(m *testing.M) { interop.Main(m) }

func TestDjangoVerifiesToo(t *testing.T) {
	for _, alg := range []string{"ES256", "RS256"} {
		t.Run(alg, func(t *testing.T) { run(t, alg) })
	}
}

func run(t *testing.T, alg string) {
	django := testkit.MustFreeAddr(t)
	gate := interop.MustServe(t, interop.Env{
		"ROUTES_FILE": interop.MustWrite(t, "routes.yaml", interop.MustRender(t, "routes.yaml", map[string]string{"127.0.0.1:8000": django})),
		"SIGNING_ALG": alg,
		"AUDIENCE":    "shop",
	})
	id := mustDjango(t, gate, django, alg)
	for _, name := range []string{"ada", "grace"} {
		if got := gate.MustAddUser(t, name, "--id", id[name]); got != id[name] {
			t.Fatalf("tollgate's %s is %s, Django's %s", name, got, id[name])
		}
	}
	ada, grace := gate.MustLogIn(t, "ada"), gate.MustLogIn(t, "grace")
	s := site{gate: gate.Addr, django: django, ada: ada, user: id["ada"]}
	t.Run("both accept", s.checkAccepted)
	t.Run("both refuse", s.checkRefused)
	t.Run("staff", func(t *testing.T) {
		for token, want := range map[string]int{ada.Access: http.StatusForbidden, grace.Access: http.StatusOK} {
			if a := interop.MustSend(t, gate.Addr, "GET", "/api/staff/", interop.Bearer(token)); a.Status != want {
				t.Errorf("status %d, want %d: %s", a.Status, want, a.Body)
			}
		}
	})
	t.Run("rotation", func(t *testing.T) { s.checkRotation(t, gate) })
	t.Run("revocation", func(t *testing.T) { s.checkRevocation(t, gate) })
}

// mustDjango starts the project with a database of its own and returns the ids of
// its users.
func mustDjango(t *testing.T, gate *interop.Tollgate, addr, alg string) map[string]string {
	t.Helper()
	python := interop.MustPython(t, "rest_framework_simplejwt, jwt, cryptography", "python3-djangorestframework-simplejwt python3-cryptography")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	env := []string{
		"DJANGO_SECRET_KEY=" + strings.Repeat("not a secret ", 4), "DATABASE=" + filepath.Join(t.TempDir(), "db.sqlite3"),
		"JWT_ALGORITHM=" + alg, "JWK_URL=" + gate.URL + "/.well-known/jwks.json", "JWT_ISSUER=" + gate.URL, "JWT_AUDIENCE=shop",
		"PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1",
	}
	interop.MustRun(t, here, env, python, "manage.py", "migrate", "--verbosity", "0")
	// Users that were there before tollgate came. Passwords stay unusable: nobody
	// logs in here any more.
	out := interop.MustRun(t, here, env, python, "manage.py", "shell", "-c", `
import json
from django.contrib.auth.models import User
User.objects.create_user("somebody else")
users = [User.objects.create_user("ada"), User.objects.create_user("grace", is_staff=True)]
print(json.dumps({u.username: str(u.pk) for u in users}))`)
	var id map[string]string
	if err := json.Unmarshal([]byte(out), &id); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	interop.MustStart(t, here, env, python, "manage.py", "runserver", "--noreload", addr).MustListen(addr)
	return id
}

// site is the project, reached through tollgate and past it.
type site struct {
	gate, django string
	ada          interop.Pair
	user         string // ada's id
}

// me is the answer of /api/me/.
type me struct {
	ID          int
	Username    string
	Token       map[string]any
	GatewayUser *string `json:"gateway_user"`
	Data        map[string]any
}

func mustBeMe(t *testing.T, a interop.Answer) me {
	t.Helper()
	var m me
	if err := json.Unmarshal([]byte(a.Body), &m); err != nil || a.Status != http.StatusOK {
		t.Fatalf("status %d, %v: %s", a.Status, err, a.Body)
	}
	return m
}

func (s site) checkAccepted(t *testing.T) {
	lines := []string{interop.Bearer(s.ada.Access), "X-User-Id: 1", "X_User_Id: 1", "Content-Type: application/json"}
	through := mustBeMe(t, interop.MustSendBody(t, s.gate, "POST", "/api/me/", `{"a":"b"}`, lines...))
	if fmt.Sprint(through.ID) != s.user || through.Username != "ada" || through.GatewayUser == nil || *through.GatewayUser != s.user {
		t.Errorf("Django saw %+v", through)
	}
	if want := interop.Segment(t, s.ada.Access, 1); !reflect.DeepEqual(through.Token, want) {
		t.Errorf("Django verified %v, the token holds %v", through.Token, want)
	}
	if through.Data["a"] != "b" {
		t.Errorf("the body arrived as %v", through.Data)
	}
	if past := mustBeMe(t, interop.MustSend(t, s.django, "GET", "/api/me/", interop.Bearer(s.ada.Access))); past.Username != "ada" || past.GatewayUser != nil {
		t.Errorf("past tollgate Django saw %+v", past)
	}
}

// checkRefused expects the same status of both, and where this version of
// SimpleJWT (5.2) has the wording of 5.5, which tollgate speaks, the same body.
func (s site) checkRefused(t *testing.T) {
	cases := []struct {
		name     string
		lines    []string
		sameBody bool
	}{
		{"nothing", nil, true},
		{"another scheme", []string{"Authorization: Basic YWRhOmFkYQ=="}, true},
		{"no token behind the scheme", []string{"Authorization: Bearer"}, true},
		{"two tokens", []string{"Authorization: Bearer a b"}, true},
		{"not a token", []string{interop.Bearer("nonsense")}, false},
		{"forged", []string{interop.Bearer(interop.Forged(t, s.ada.Access))}, false},
		{"altered", []string{interop.Bearer(interop.Altered(t, s.ada.Access))}, false},
		{"the refresh token", []string{interop.Bearer(s.ada.Refresh)}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			gate, django := interop.MustSend(t, s.gate, "GET", "/api/me/", c.lines...), interop.MustSend(t, s.django, "GET", "/api/me/", c.lines...)
			if gate.Status != http.StatusUnauthorized || django.Status != http.StatusUnauthorized {
				t.Errorf("tollgate answers %d, Django %d, want 401 of both", gate.Status, django.Status)
			}
			if gate.Header.Get("WWW-Authenticate") == "" || !strings.HasPrefix(gate.Header.Get("WWW-Authenticate"), django.Header.Get("WWW-Authenticate")) {
				t.Errorf("tollgate's challenge is %q, Django's %q", gate.Header.Get("WWW-Authenticate"), django.Header.Get("WWW-Authenticate"))
			}
			of, want := decode(t, gate.Body), decode(t, django.Body)
			if !c.sameBody {
				delete(of, "messages")
				delete(want, "messages")
			}
			if !reflect.DeepEqual(of, want) {
				t.Errorf("tollgate says %s\nDjango says %s", gate.Body, django.Body)
			}
		})
	}
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return object
}

// checkRotation signs with the next key: Django finds it at once, since it was
// published before, and still takes what the one before has signed.
func (s site) checkRotation(t *testing.T, gate *interop.Tollgate) {
	gate.MustCommand(t, "", nil, "keys", "rotate", "--now", "--yes")
	var next interop.Pair
	if status := gate.MustPost(t, "/api/token/refresh/", "", map[string]string{"refresh": s.ada.Refresh}, &next); status != http.StatusOK {
		t.Fatalf("refresh: status %d", status)
	}
	if interop.Segment(t, next.Access, 0)["kid"] == interop.Segment(t, s.ada.Access, 0)["kid"] {
		t.Fatal("the next key does not sign")
	}
	for _, token := range []string{s.ada.Access, next.Access} {
		for _, addr := range []string{s.gate, s.django} {
			mustBeMe(t, interop.MustSend(t, addr, "GET", "/api/me/", interop.Bearer(token)))
		}
	}
}

// checkRevocation ends ada's sessions. Django cannot know: that is what the gateway
// is for, and why nobody else may reach the application.
func (s site) checkRevocation(t *testing.T, gate *interop.Tollgate) {
	gate.MustRevoke(t, "subject", s.user)
	a := interop.MustSend(t, s.gate, "GET", "/api/me/", interop.Bearer(s.ada.Access))
	if a.Status != http.StatusUnauthorized || decode(t, a.Body)["reason"] != "revoked" {
		t.Errorf("status %d: %s", a.Status, a.Body)
	}
	mustBeMe(t, interop.MustSend(t, s.django, "GET", "/api/me/", interop.Bearer(s.ada.Access)))
}
