//go:build interop

// Package migration_test moves this folder's Django REST framework project, with
// Debian's SimpleJWT, to tollgate: first as an edge before its token views, then with
// tollgate's own tokens beside the old ones, and with its users. It needs
// python3-djangorestframework-simplejwt, python3-cryptography, python3-argon2,
// python3-bcrypt and redis-server.
package migration_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

func TestMain(m *testing.M) { interop.Main(m) }

// project is the Django project of this folder, running.
type project struct {
	python, dir string
	env         []string
	addr        string
	trusted     string // tollgate's file of trusted issuers
}

// mustProject starts the project with a database and a signing key of its own.
func mustProject(t *testing.T, alg string) *project {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	p := &project{
		python: interop.MustPython(t, "rest_framework_simplejwt, jwt, cryptography, argon2, bcrypt",
			"python3-djangorestframework-simplejwt python3-cryptography python3-argon2 python3-bcrypt"),
		dir: here, addr: testkit.MustFreeAddr(t),
		env: []string{
			"DJANGO_SECRET_KEY=" + strings.Repeat("not a secret ", 4), "DATABASE=" + filepath.Join(t.TempDir(), "db.sqlite3"),
			"PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1",
		},
	}
	if alg == "HS256" {
		secret := rand.Text() + rand.Text()
		p.env = append(p.env, "JWT_SECRET="+secret)
		p.trusted = interop.MustRender(t, "trusted-hs256.yaml", map[string]string{"/run/secrets/django-signing-key": interop.MustWrite(t, "secret", secret+"\n")})
	} else {
		private, public := mustKeyFiles(t)
		p.env = append(p.env, "JWT_KEY_FILE="+private)
		p.trusted = interop.MustRender(t, "trusted-rs256.yaml", map[string]string{"/run/secrets/django-public.pem": public})
	}
	p.must(t, "migrate", "--verbosity", "0")
	return p
}

func mustKeyFiles(t *testing.T) (private, public string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return interop.MustWrite(t, "private.pem", text("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))), interop.MustWrite(t, "public.pem", text("PUBLIC KEY", pub))
}

// must runs a management command.
func (p *project) must(t *testing.T, args ...string) string {
	t.Helper()
	return interop.MustRun(t, p.dir, p.env, p.python, append([]string{"manage.py"}, args...)...)
}

// mustMint signs an access token of the project for a user, with seconds to live.
func (p *project) mustMint(t *testing.T, user string, seconds int) string {
	t.Helper()
	return strings.TrimSpace(p.must(t, "shell", "-c", fmt.Sprintf(`
from datetime import timedelta
from django.contrib.auth.models import User
from rest_framework_simplejwt.tokens import AccessToken
token = AccessToken.for_user(User.objects.get(username=%q))
token.set_exp(lifetime=timedelta(seconds=%d))
print(token)`, user, seconds)))
}

// whoAt asks the project, through tollgate, who calls.
func whoAt(t *testing.T, addr, token string) (status int, name, body string) {
	t.Helper()
	a := interop.MustSend(t, addr, "GET", "/api/me/", interop.Bearer(token), "X-User-Id: 1")
	var m struct{ Username string }
	_ = json.Unmarshal([]byte(a.Body), &m) // a refusal has none
	return a.Status, m.Username, a.Body
}

// TestCutOver: tollgate as an edge before a project that goes on issuing, then as the
// issuer. Tokens from before pass until they expire, beside tollgate's own.
func TestCutOver(t *testing.T) {
	for _, alg := range []string{"HS256", "RS256"} {
		t.Run(alg, func(t *testing.T) {
			p := mustProject(t, alg)
			p.must(t, "shell", "-c", fmt.Sprintf(`
from django.contrib.auth.models import User
User.objects.create_user("root")
User.objects.create_user("ada", password=%q)`, interop.Password))
			interop.MustStart(t, p.dir, p.env, p.python, "manage.py", "runserver", "--noreload", p.addr).MustListen(p.addr)
			settings := func(more interop.Env) interop.Env {
				out := interop.Env{
					"ROUTES_FILE":          interop.MustWrite(t, "routes.yaml", interop.MustRender(t, "routes.yaml", map[string]string{"127.0.0.1:8000": p.addr})),
					"TRUSTED_ISSUERS_FILE": interop.MustWrite(t, "trusted.yaml", p.trusted), "LEEWAY": "1s",
				}
				for name, value := range more {
					out[name] = value
				}
				return out
			}
			edge := interop.MustServe(t, settings(interop.Env{"ENABLE_ISSUER": "false"}))
			var old interop.Pair
			if status := edge.MustPost(t, "/api/token/", "", map[string]string{"username": "ada", "password": interop.Password}, &old); status != http.StatusOK {
				t.Fatalf("log in at the project's own view: status %d", status)
			}
			checkEdge(t, edge, old)

			gate := interop.MustServe(t, settings(nil))
			dump := interop.MustWrite(t, "users.json", p.must(t, "dumpdata", "auth.user"))
			gate.MustCommand(t, "", nil, "users", "import", dump)
			own := gate.MustLogIn(t, "ada")
			for name, token := range map[string]string{"old": old.Access, "own": own.Access} {
				if status, user, body := whoAt(t, gate.Addr, token); status != http.StatusOK || user != "ada" {
					t.Errorf("the %s token: status %d: %s", name, status, body)
				}
			}
			if status := gate.MustPost(t, "/api/token/refresh/", "", map[string]string{"refresh": old.Refresh}, nil); status != http.StatusUnauthorized {
				t.Errorf("an old refresh token: status %d, want 401: its user logs in", status)
			}
			checkExpiry(t, gate, p.mustMint(t, "ada", 12), own)
			gate.MustRevoke(t, "jti", interop.Claim(t, own.Access, "jti"))
			if status, _, _ := whoAt(t, gate.Addr, old.Access); status != http.StatusOK {
				t.Errorf("an old token after another was revoked: status %d", status)
			}
		})
	}
}

// checkEdge: before the cut-over old access tokens pass, and nothing else does.
func checkEdge(t *testing.T, edge *interop.Tollgate, old interop.Pair) {
	t.Helper()
	for name, c := range map[string]struct {
		token  string
		status int
	}{
		"access": {old.Access, http.StatusOK}, "refresh": {old.Refresh, http.StatusUnauthorized},
		"forged": {interop.Forged(t, old.Access), http.StatusUnauthorized}, "altered": {interop.Altered(t, old.Access), http.StatusUnauthorized},
	} {
		status, user, body := whoAt(t, edge.Addr, c.token)
		if status != c.status || (status == http.StatusOK) != (user == "ada") {
			t.Errorf("%s: status %d, want %d: %s", name, status, c.status, body)
		}
	}
	// What the project could not do: end an access token.
	edge.MustCommand(t, "", nil, "revoke", "jti", interop.Claim(t, old.Access, "jti"), "--issuer", "django", "--yes")
	if status, _, body := whoAt(t, edge.Addr, old.Access); status != http.StatusUnauthorized || !strings.Contains(body, `"reason":"revoked"`) {
		t.Errorf("after it was revoked: status %d: %s", status, body)
	}
}

// checkExpiry: an old token passes, and is refused once it has expired; tollgate's own
// goes on.
func checkExpiry(t *testing.T, gate *interop.Tollgate, short string, own interop.Pair) {
	t.Helper()
	passed := false
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		status, user, body := whoAt(t, gate.Addr, short)
		if status == http.StatusUnauthorized {
			if !strings.Contains(body, "Token is expired") {
				t.Errorf("refused: %s", body)
			}
			break
		}
		passed = passed || status == http.StatusOK && user == "ada"
		if time.Now().After(deadline) {
			t.Fatal("an old token passes long after its end")
		}
	}
	if !passed {
		t.Error("an old token did not pass before its end")
	}
	if status, _, _ := whoAt(t, gate.Addr, own.Access); status != http.StatusOK {
		t.Errorf("tollgate's own: status %d", status)
	}
}
