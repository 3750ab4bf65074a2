package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	rootUser     = "root"
	rootPassword = "correct horse battery staple"
)

func (s *system) mustDRFLogin(name, password string) string {
	s.tb.Helper()
	return s.mustToken(s.mustSend("POST", s.Public+"/api-token-auth/", map[string]string{"username": name, "password": password}))
}

// mustToken is the token of a 201.
func (s *system) mustToken(r reply) string {
	s.tb.Helper()
	var body struct{ Token string }
	if r.Status != http.StatusCreated || json.Unmarshal([]byte(r.Body), &body) != nil || body.Token == "" {
		s.tb.Fatalf("%d %s\n%s", r.Status, r.Body, &s.logs)
	}
	return body.Token
}

func (s *system) wantPage(status int, body string, headers ...string) {
	s.tb.Helper()
	if r := s.mustSend("GET", s.Public+"/x", nil, headers...); r.Status != status || !strings.Contains(r.Body, body) {
		s.tb.Errorf("%d %s, want %d %s", r.Status, r.Body, status, body)
	}
}

func (s *system) eventuallyPage(status int, headers ...string) {
	s.tb.Helper()
	s.eventually(fmt.Sprint("answers ", status), 20*time.Second, func() bool {
		return s.mustSend("GET", s.Public+"/x", nil, headers...).Status == status
	})
}

// A back end that had drf-jwt, end to end: log in, refresh, act as a user by cookie, and
// the moment at which the actor's sessions are cut off.
func TestDRFProfile(t *testing.T) {
	s := mustSystem(t, "TOLLGATE_COMPAT=drf-jwt,simplejwt", "TOLLGATE_COOKIE_NAME=jwt", "TOLLGATE_IMPERSONATION_COOKIE_NAME=imp", "TOLLGATE_AUDIENCE=shop-api",
		"TOLLGATE_CLAIMS=support=support", "TOLLGATE_IMPERSONATE_CLAIM=support=true")
	edge := mustEdgeOf(t, s, "TOLLGATE_COMPAT=drf-jwt", "TOLLGATE_IMPERSONATION_COOKIE_NAME=imp")
	s.mustAddUser(ada, adaPassword)
	for _, u := range []map[string]any{
		{"username": rootUser, "password": rootPassword, "is_superuser": true},
		{"username": "help", "password": rootPassword, "attributes": map[string]any{"support": true}},
	} {
		if r := s.mustSend("POST", s.Admin+"/admin/v1/users", u, bearer(rootToken)...); r.Status != http.StatusCreated {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
	}
	first := s.mustDRFLogin(ada, adaPassword)
	next := s.mustToken(s.mustSend("POST", s.Public+"/api-token-refresh/", map[string]string{"token": first}))
	id, _ := claimsOf(t, next)["sub"].(string)
	if claimsOf(t, next)["orig_jti"] != claimsOf(t, first)["jti"] || claimsOf(t, next)["aud"] != "shop-api" {
		t.Errorf("%v", claimsOf(t, next))
	}
	for _, at := range []*system{s, edge} {
		at.wantCall(first, 200, "")
		at.wantCall(next, 200, "")
		at.wantPage(401, `{"detail":"Authentication credentials were not provided."}`)
		at.wantPage(401, `{"detail":"Error decoding token."}`, bearer("a.b.c")...)
	}
	s.wantPage(200, "hello", "Cookie", "jwt="+next, "Authorization", "Bearer")

	for name, root := range map[string]string{rootUser: s.mustDRFLogin(rootUser, rootPassword), "help": s.mustDRFLogin("help", rootPassword)} {
		acting := s.mustToken(s.mustSend("POST", s.Public+"/api-token-impersonate/", map[string]string{"user": id}, bearer(root)...))
		for _, at := range []*system{s, edge} {
			at.wantPage(200, "hello", "Cookie", "imp="+acting)
			seen := at.requests()
			if got := seen[len(seen)-1].Header.Get("X-User-Id"); got != id {
				t.Errorf("the back end was told %q", got)
			}
		}
		actor, _ := claimsOf(t, root)["sub"].(string)
		s.mustRevoke(map[string]string{"kind": "subject", "value": actor})
		edge.eventuallyPage(403, "Cookie", "imp="+acting) // it reads the feed while we ask
		for _, at := range []*system{s, edge} {
			at.wantPage(403, `{"detail":"Token is blacklisted."}`, "Cookie", "imp="+acting)
			at.wantCall(next, 200, "") // the user's own goes on
		}
		s.eventually("audited", 10*time.Second, func() bool { return strings.Contains(s.logs.String(), `"impersonation began","actor":"`+name+`"`) })
	}
	if r := s.mustSend("POST", s.Public+"/auth/logout/", nil, bearer(first)...); r.Status != http.StatusCreated {
		t.Errorf("logout: %d %s", r.Status, r.Body)
	}
	edge.eventuallyPage(403, bearer(next)...)
	for _, at := range []*system{s, edge} {
		at.wantPage(403, `{"detail":"Token is blacklisted."}`, bearer(next)...)
	}
}

// A token that names an audience is refused where none is configured, on routes too.
func TestDRFAudience(t *testing.T) {
	s := mustSystem(t, "TOLLGATE_COMPAT=drf-jwt", "TOLLGATE_AUDIENCE=shop-api", "TOLLGATE_DRF_TOKEN_ID=off")
	s.mustAddUser(ada, adaPassword)
	raw := s.mustDRFLogin(ada, adaPassword)
	if claims := claimsOf(t, raw); claims["jti"] != nil {
		t.Errorf("%v", claims)
	}
	s.wantCall(raw, 200, "")
	other := mustSystem(t, "TOLLGATE_COMPAT=drf-jwt", "TOLLGATE_REDIS_URL="+s.Redis.URL, "TOLLGATE_DRF_TOKEN_ID=include")
	other.wantPage(401, `{"detail":"Invalid token."}`, bearer(raw)...)
	other.eventually("refused for its audience", 10*time.Second, func() bool { return strings.Contains(other.logs.String(), `"reason":"audience"`) })
	if r := other.mustSend("POST", other.Public+"/api/token/", nil); r.Status != 401 {
		t.Errorf("a row of the other profile: %d %s", r.Status, r.Body)
	}
	without := other.mustDRFLogin(ada, adaPassword)
	other.wantCall(without, 200, "")
}
