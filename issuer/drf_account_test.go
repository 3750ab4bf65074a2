package issuer_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/internal/problem"
	"tollgate/internal/ratelimit"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/store"
)

// TestDRFLoginIsALogin: drf-jwt's log-in counts, is dated and leaves a line when it is
// refused, as the other one.
func TestDRFLoginIsALogin(t *testing.T) {
	var dated []string
	k := drfOpened(t, func(c *issuer.Config) {
		c.LoginRate = ratelimit.Rate{Limit: 3, Per: time.Minute, Burst: 3}
		c.RecordLogin = func(_ context.Context, id string) error { dated = append(dated, id); return nil }
	})
	drfLogin(t, k, "alice")
	for range 2 {
		wantDRF(t, k.Post(t, drfAuth, map[string]any{"username": "alice", "password": "wrong"}), 400, nonField("Unable to log in with provided credentials."))
	}
	wantThrottled(t, k.Post(t, drfAuth, map[string]any{"username": "bob", "password": issuerkit.Password}))
	if len(dated) != 1 || dated[0] != "1" {
		t.Errorf("log-ins of %v", dated)
	}
	if n := strings.Count(k.Logs.String(), "a log-in was refused"); n != 2 {
		t.Errorf("%d lines about refused credentials", n)
	}
}

// TestDRFLoginField: the body names the user by the field that is configured.
func TestDRFLoginField(t *testing.T) {
	k := drfOpened(t, func(c *issuer.Config) { c.LoginField = "email" })
	wantDRF(t, k.Post(t, drfAuth, map[string]any{"username": "alice", "password": issuerkit.Password}), 400, `{"email":["This field is required."]}`)
}

// TestDRFRefreshAfterAnotherPassword: with the password's claim a line ends with the
// password that it began with, also where the password was not changed here.
func TestDRFRefreshAfterAnotherPassword(t *testing.T) {
	k := drfOpened(t, func(c *issuer.Config) { c.Claims.Password = true })
	raw := drfLogin(t, k, "alice")
	raw = tokenOf(t, post(t, k, drfRefresh, raw))
	k.Advance(time.Second)
	if err := k.SetPassword(t.Context(), "alice", newPassword); err != nil {
		t.Fatal(err)
	}
	wantDRF(t, post(t, k, drfRefresh, raw), 400, nonField("The user's password has been changed."))
	drfAlive(t, k, false, raw)
}

// TestDRFRefusesAClientsToken: what an exchange has made of a token of drf-jwt's is no
// log-in, neither for its pages nor to act as another.
func TestDRFRefusesAClientsToken(t *testing.T) {
	k := drfOpened(t)
	exchanged := mustClient(t, k, store.Client{}).mustExchange(t, k, subjectPairs(drfLogin(t, k, "alice"))...)
	for _, path := range []string{drfLogout, drfImpersonate, "/api/token/impersonate/"} {
		if a := k.Post(t, path, map[string]any{"user": "2"}, exchanged); a.Status != http.StatusForbidden {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
}

// TestExchangeOfAnImpersonation: an exchanged token would outlive the log-in of whoever
// acts, so there is none, neither for the subject nor for the actor.
func TestExchangeOfAnImpersonation(t *testing.T) {
	eachShape(t, func(t *testing.T, s shape) {
		k := royal(t)
		c, alice := mustClient(t, k, store.Client{}), k.MustLogin(t, "alice").Access
		raw := s.begin(t, k, s.login(t, k, "root"), "1")
		wantError(t, c.exchange(t, k, subjectPairs(raw)...), 400, "invalid_request")
		wantError(t, c.exchange(t, k, subjectPairs(alice, "actor_token", raw, "actor_token_type", accessURN)...), 400, "invalid_request")
		c.mustExchange(t, k, subjectPairs(alice)...)
	})
}

// TestProtocolsOfNoProfile: what belongs to no profile is there whichever is named.
func TestProtocolsOfNoProfile(t *testing.T) {
	k := drfOpened(t, func(c *issuer.Config) { c.Compat = []problem.Profile{problem.DRF} })
	for path, status := range map[string]int{
		jwksPath: 200, "/.well-known/openid-configuration": 200, tokenPath: 405, "/api/token/": 404, "/api/sessions/": 404, drfAuth: 405,
	} {
		if a := k.Send(t, issuerkit.Request{Method: http.MethodGet, Path: path}); a.Status != status {
			t.Errorf("%s: %d, want %d", path, a.Status, status)
		}
	}
}

// TestOneCookieForTwo: names that differ in case alone are one.
func TestOneCookieForTwo(t *testing.T) {
	for _, row := range []struct {
		c  issuer.CookieSettings
		ok bool
	}{
		{issuer.CookieSettings{Impersonation: "a"}, true},
		{issuer.CookieSettings{Refresh: "a"}, true},
		{issuer.CookieSettings{Access: "a", Refresh: "b", Impersonation: "c"}, true},
		{issuer.CookieSettings{Access: "a", Impersonation: "A"}, false},
		{issuer.CookieSettings{Refresh: "a", Impersonation: "a"}, false},
	} {
		var config issuer.Config
		drfOpened(t, func(c *issuer.Config) { config = *c })
		config.Cookies = row.c
		if _, err := issuer.New(config); (err == nil) != row.ok {
			t.Errorf("%+v: %v", row.c, err)
		}
	}
}
