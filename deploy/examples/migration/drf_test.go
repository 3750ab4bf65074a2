//go:build interop

package migration_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"tollgate/internal/testkit/interop"
)

// mustGuide returns the trusted issuers of a guide, as they stand there.
func mustGuide(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/migrate/" + name)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatalf("%s has no trusted issuers", name)
	}
	return string(block[1])
}

// TestDRFTokens: tokens as drf-jwt makes them (PyJWT signs them here: Debian has no
// drf-jwt), by the file of docs/migrate/drf-jwt.md, before and after the cut-over.
func TestDRFTokens(t *testing.T) {
	python := interop.MustPython(t, "jwt", "python3-jwt")
	secret := rand.Text() + rand.Text()
	trusted := strings.ReplaceAll(mustGuide(t, "drf-jwt.md"), "/run/secrets/django-jwt-secret", interop.MustWrite(t, "secret", secret))
	mint := func(change string) string {
		return strings.TrimSpace(interop.MustRun(t, t.TempDir(), []string{"SECRET=" + secret}, python, "-c", `
import jwt, os, time, uuid
now = int(time.time())
claims = {"username": "ada", "user_id": 7, "iat": now, "exp": now + 300, "orig_iat": now, "jti": str(uuid.uuid4())}
`+change+`
print(jwt.encode(claims, os.environ["SECRET"], algorithm="HS256"))`))
	}
	backend := interop.MustBackend(t)
	for _, issues := range []string{"false", "true"} {
		gate := interop.MustServe(t, interop.Env{
			"TRUSTED_ISSUERS_FILE": interop.MustWrite(t, "trusted.yaml", trusted), "UPSTREAM": backend.URL, "COMPAT": "drf-jwt", "USER_ID_TYPE": "number", "ENABLE_ISSUER": issues,
		})
		ask := func(token string) interop.Answer {
			return interop.MustSend(t, gate.Addr, "GET", "/x", interop.Bearer(token))
		}
		first, second := mint(""), mint("")
		if seen := ask(first).MustSee(t); seen.Header.Get("X-User-Id") != "7" {
			t.Errorf("the back end saw the user %q", seen.Header.Get("X-User-Id"))
		}
		for name, token := range map[string]string{
			"too long a life": mint(`claims["exp"] = now + 3600`), "no end": mint(`del claims["exp"]`), "an audience of another issuer": mint(`claims["iss"] = "elsewhere"`),
			"altered": interop.Altered(t, first), "forged": interop.Forged(t, first),
		} {
			if a := ask(token); a.Status != http.StatusUnauthorized {
				t.Errorf("%s: status %d: %s", name, a.Status, a.Body)
			}
		}
		gate.MustCommand(t, "", nil, "revoke", "jti", interop.Claim(t, first, "jti"), "--issuer", "django", "--yes")
		for token, status := range map[string]int{first: http.StatusForbidden, second: http.StatusOK} {
			if a := ask(token); a.Status != status || status != http.StatusOK && !strings.Contains(a.Body, "Token is blacklisted.") {
				t.Errorf("after one was revoked: status %d, want %d: %s", a.Status, status, a.Body)
			}
		}
		gate.MustCommand(t, "", nil, "revoke", "subject", "7", "--issuer", "django", "--yes")
		if a := ask(second); a.Status != http.StatusForbidden {
			t.Errorf("after the user was: status %d: %s", a.Status, a.Body)
		}
		third := mint(`claims["user_id"] = 8`)
		gate.MustCommand(t, third, nil, "revoke", "token", "-", "--yes")
		if a := ask(third); a.Status != http.StatusForbidden {
			t.Errorf("after it was, as a whole: status %d: %s", a.Status, a.Body)
		}
		if issues == "false" {
			continue
		}
		gate.MustAddUser(t, "ada", "--id", "7")
		var own struct{ Token string }
		if status := gate.MustPost(t, "/api-token-auth/", "", map[string]string{"username": "ada", "password": interop.Password}, &own); status != http.StatusCreated {
			t.Fatalf("log-in: status %d", status)
		}
		if seen := ask(own.Token).MustSee(t); seen.Header.Get("X-User-Id") != "7" {
			t.Errorf("the back end saw the user %q", seen.Header.Get("X-User-Id"))
		}
		if status := gate.MustPost(t, "/api-token-refresh/", "", map[string]string{"token": mint(`claims["user_id"] = 9`)}, nil); status != http.StatusBadRequest {
			t.Errorf("an old token is refreshed: %s", fmt.Sprint(status))
		}
	}
}
