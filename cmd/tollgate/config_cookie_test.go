package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/ratelimit"
)

func TestAccountDefaults(t *testing.T) {
	c := mustLoad(t, working())
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"sliding", []time.Duration{c.Tokens.SlidingTTL.Value, c.Tokens.SlidingRefresh.Value}, []time.Duration{5 * time.Minute, 24 * time.Hour}},
		{"user fields", c.Tokens.ResponseFields.Value, []string(nil)},
		{"password claim", c.Tokens.PasswordClaim.Value, false},
		{"rate", c.Login.Rate.Value, ratelimit.Rate{Limit: 10, Per: time.Minute, Burst: 10}},
		{"last log-in", c.Login.LastLogin.Value, false},
		{"cookie names", c.Cookies.RefreshName.Value, ""},
		{"cookies", []string{c.Cookies.Domain.Value, c.Cookies.Path.Value, c.Cookies.SameSite.Value}, []string{"", "/", "Lax"}},
		{"cookie flags", []bool{c.Cookies.Secure.Value, c.Cookies.Only.Value}, []bool{true, false}},
		{"SameSite", c.Cookies.sameSite(), http.SameSiteLaxMode},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestAccountSettings(t *testing.T) {
	c := mustLoad(t, with(map[string]string{
		"TOLLGATE_SLIDING_TTL": "2h", "TOLLGATE_SLIDING_REFRESH_TTL": "900h", "TOLLGATE_SESSION_MAX_TTL": "90m", "TOLLGATE_REFRESH_TTL": "1h",
		"TOLLGATE_RESPONSE_USER_FIELDS": "id, email", "TOLLGATE_LOGIN_RATE": "",
		"TOLLGATE_COOKIE_DOMAIN": ".example.com", "TOLLGATE_COOKIE_PATH": "/app", "TOLLGATE_COOKIE_SAMESITE": "none",
		"TOLLGATE_REFRESH_COOKIE_NAME": "__Secure-refresh", "TOLLGATE_COOKIE_ONLY": "1",
	}))
	if len(c.Warnings) > 0 {
		t.Errorf("warnings %q", c.Warnings)
	}
	if c.Tokens.SlidingTTL.Value != 90*time.Minute || c.Tokens.SlidingRefresh.Value != 90*time.Minute || c.accessLife() != 90*time.Minute {
		t.Errorf("sliding lives %s, %s beyond the session's", c.Tokens.SlidingTTL.Value, c.Tokens.SlidingRefresh.Value)
	}
	if !slices.Equal(c.Tokens.ResponseFields.Value, []string{"id", "email"}) || c.Login.Rate.Value != (ratelimit.Rate{}) {
		t.Errorf("fields %q, rate %v", c.Tokens.ResponseFields.Value, c.Login.Rate.Value)
	}
	if c.Cookies.Domain.Value != "example.com" || c.Cookies.sameSite() != http.SameSiteNoneMode {
		t.Errorf("cookies %+v", c.Cookies)
	}
	if c := mustLoad(t, with(map[string]string{"TOLLGATE_COOKIE_SAMESITE": "strict"})); c.Cookies.sameSite() != http.SameSiteStrictMode {
		t.Error("strict is not")
	}
}

func TestAccountFaults(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want string // how the one fault begins; "" for none
	}{
		{map[string]string{"LOGIN_RATE": "ten"}, "LOGIN_RATE \"ten\" is not a rate"},
		{map[string]string{"LOGIN_RATE": "0/m"}, "LOGIN_RATE \"0/m\" is not a rate"},
		{map[string]string{"SLIDING_TTL": "1500ms"}, "SLIDING_TTL is not a number of whole seconds"},
		{map[string]string{"RESPONSE_USER_FIELDS": "id,id"}, "RESPONSE_USER_FIELDS \"id\" stands there twice"},
		{map[string]string{"RESPONSE_USER_FIELDS": "a=b"}, "RESPONSE_USER_FIELDS \"a=b\" is not the name"},
		{map[string]string{"CLAIMS": "hash_password=email"}, "CLAIMS \"hash_password=email\" names the reserved claim"},
		{map[string]string{"COOKIE_DOMAIN": "http://example.com"}, "COOKIE_DOMAIN \"http://example.com\" is not a domain"},
		{map[string]string{"COOKIE_DOMAIN": "."}, "COOKIE_DOMAIN \".\" is not a domain"},
		{map[string]string{"COOKIE_DOMAIN": "a..b"}, "COOKIE_DOMAIN"},
		{map[string]string{"COOKIE_PATH": "app"}, "COOKIE_PATH \"app\" is not a path"},
		{map[string]string{"COOKIE_PATH": "/a;b"}, "COOKIE_PATH"},
		{map[string]string{"COOKIE_SAMESITE": "Some"}, "COOKIE_SAMESITE \"Some\" is none of"},
		{map[string]string{"COOKIE_SAMESITE": "None", "COOKIE_SECURE": "false"}, ""},
		{map[string]string{"COOKIE_SAMESITE": "None", "COOKIE_SECURE": "false", "COOKIE_NAME": "a"}, "COOKIE_SAMESITE None needs"},
		{map[string]string{"COOKIE_NAME": "__Host-a", "COOKIE_SECURE": "false"}, "COOKIE_NAME \"__Host-a\" needs"},
		{map[string]string{"REFRESH_COOKIE_NAME": "__Secure-a", "COOKIE_SECURE": "false"}, "REFRESH_COOKIE_NAME \"__Secure-a\" needs"},
		{map[string]string{"COOKIE_NAME": "__Host-a", "COOKIE_DOMAIN": "example.com"}, "COOKIE_NAME \"__Host-a\" takes no"},
		{map[string]string{"COOKIE_NAME": "__Host-a", "COOKIE_PATH": "/app"}, "COOKIE_NAME \"__Host-a\" takes no"},
		{map[string]string{"COOKIE_NAME": "__Secure-a", "COOKIE_PATH": "/app", "COOKIE_DOMAIN": "example.com"}, ""},
		{map[string]string{"COOKIE_NAME": "a", "REFRESH_COOKIE_NAME": "A"}, "REFRESH_COOKIE_NAME is TOLLGATE_COOKIE_NAME"},
		{map[string]string{"IMPERSONATION_COOKIE_NAME": "a", "REFRESH_COOKIE_NAME": "a"}, "REFRESH_COOKIE_NAME is TOLLGATE_IMPERSONATION_COOKIE_NAME"},
		{map[string]string{"COOKIE_ONLY": "true"}, "COOKIE_ONLY is set but there is no cookie"},
		{map[string]string{"COOKIE_ONLY": "true", "REFRESH_COOKIE_NAME": "r"}, ""},
	} {
		env := map[string]string{}
		for name, value := range tt.env {
			env["TOLLGATE_"+name] = value
		}
		got := faultsOf(t, with(env))
		if tt.want == "" && len(got) != 0 || tt.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], "TOLLGATE_"+tt.want)) {
			t.Errorf("%v: faults %q, want %q", tt.env, got, tt.want)
		}
	}
}
