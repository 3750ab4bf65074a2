package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// The program with sliding tokens, cookies, a rate of log-ins and the claim of the
// password, in front of a back end.
func TestAccountsOfTheRealProgram(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-User-Id")+" "+r.Header.Get("Cookie"))
	}))
	t.Cleanup(backend.Close)
	file := t.TempDir() + "/routes.yaml"
	text := fmt.Sprintf("version: 1\nupstreams: {app: {urls: [%q]}}\nroutes: [{name: pair, match: {path: /}, upstream: app}, "+
		"{name: slide, match: {path: /slide/}, upstream: app, auth: {token_types: [access, sliding]}}]\n", backend.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustSystem(t, "TOLLGATE_UPSTREAM=", "TOLLGATE_ROUTES_FILE="+file, "TOLLGATE_SLIDING_TTL=20m", "TOLLGATE_LOGIN_RATE=5/h",
		"TOLLGATE_COOKIE_NAME=access", "TOLLGATE_REFRESH_COOKIE_NAME=refresh", "TOLLGATE_COOKIE_SECURE=false",
		"TOLLGATE_PASSWORD_CLAIM=true", "TOLLGATE_RESPONSE_USER_FIELDS=username,last_login", "TOLLGATE_UPDATE_LAST_LOGIN=true")
	s.mustAddUser(ada, adaPassword)
	login := func(path string) reply {
		return s.mustSend("POST", s.Public+path, map[string]string{"username": ada, "password": adaPassword})
	}

	first := login("/api/token/sliding/")
	_, sliding, _ := strings.Cut(first.Body, `"token":"`)
	sliding, _, _ = strings.Cut(sliding, `"`)
	if first.Status != 200 || !strings.HasSuffix(first.Body, `"user":{"last_login":null,"username":"ada"}}`) {
		t.Fatalf("sliding log-in: %d %s", first.Status, first.Body)
	}
	s.wantCall(sliding, 401, "")
	if r := s.mustSend("GET", s.Public+"/slide/", nil, bearer(sliding)...); r.Status != 200 || !strings.HasPrefix(r.Body, "1 ") {
		t.Errorf("sliding token on its route: %d %s", r.Status, r.Body)
	}

	second := login("/api/token/")
	if strings.Contains(second.Body, `"last_login":null`) || len(second.Header["Set-Cookie"]) != 2 {
		t.Errorf("second log-in: %s %v", second.Body, second.Header)
	}
	var jar []string
	for _, line := range second.Header["Set-Cookie"] {
		c, err := http.ParseSetCookie(line)
		if err != nil || !c.HttpOnly || c.Secure || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("cookie %q: %v", line, err)
		}
		jar = append(jar, c.Name+"="+c.Value)
	}
	if r := s.mustSend("GET", s.Public+"/x", nil, "Cookie", strings.Join(jar, "; ")); r.Status != 200 || !strings.HasPrefix(r.Body, "1 access=") || strings.Contains(r.Body, "refresh") {
		t.Errorf("with cookies: %d, the back end saw %s", r.Status, r.Body)
	}
	if r := s.mustSend("POST", s.Public+"/api/token/refresh/", nil, "Cookie", strings.Join(jar, "; "), "Origin", "https://evil.example"); r.Status != 403 {
		t.Errorf("a foreign page refreshes: %d %s", r.Status, r.Body)
	}
	if r := s.mustSend("POST", s.Public+"/api/token/refresh/", nil, "Cookie", strings.Join(jar, "; ")); r.Status != 200 {
		t.Errorf("refresh by cookie: %d %s", r.Status, r.Body)
	}

	p := s.mustLogin(ada, adaPassword)
	if claimsOf(t, p.Access)["hash_password"] == nil {
		t.Error("no claim of the password")
	}
	body := map[string]string{"old_password": adaPassword, "new_password": "another battery staple"}
	if r := s.mustSend("POST", s.Public+"/api/password/", body, bearer(p.Access)...); r.Status != 200 || !strings.Contains(r.Body, `"access":"`) {
		t.Errorf("new password: %d %s", r.Status, r.Body)
	}
	s.wantCall(p.Access, 401, "revoked")
	if r := s.mustSend("GET", s.Public+"/slide/", nil, bearer(sliding)...); r.Status != 401 {
		t.Errorf("a sliding token after the new password: %d %s", r.Status, r.Body)
	}
	login("/api/token/") // the fifth attempt
	if r := login("/api/token/"); r.Status != 429 || r.Header.Get("Retry-After") == "" {
		t.Errorf("the sixth attempt in an hour: %d %s", r.Status, r.Body)
	}
}
