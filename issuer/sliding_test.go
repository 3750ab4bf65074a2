package issuer_test

import (
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/session"
)

// mustSliding logs in for a sliding token.
func mustSliding(t *testing.T, k *issuerkit.Kit, name string) string {
	t.Helper()
	a := k.Post(t, "/api/token/sliding/", map[string]any{"username": name, "password": issuerkit.Password}).Must(t, 200)
	wantHeaders(t, a)
	m := a.Map(t)
	raw, _ := m["token"].(string)
	if len(m) != 1 || raw == "" {
		t.Fatalf("a sliding log-in answers %s", a.Body)
	}
	return raw
}

func slide(t *testing.T, k *issuerkit.Kit, raw string) issuerkit.Answer {
	t.Helper()
	return k.Post(t, "/api/token/sliding/refresh/", map[string]any{"token": raw})
}

// TestSliding: 1.4, the same jti and refresh_exp, a new exp and iat; the old copy stays
// valid until its own exp; an expired one is not taken, though its refresh period runs.
func TestSliding(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	first := mustSliding(t, k, "alice")
	k.Advance(time.Minute)
	a := slide(t, k, first)
	second, _ := a.Must(t, 200).Map(t)["token"].(string)
	wantHeaders(t, a)
	was, is := issuerkit.Claims(t, first), issuerkit.Claims(t, second)
	for _, same := range []string{"jti", "refresh_exp", "sid", "sub", "user_id", "token_type"} {
		if was[same] != is[same] || is[same] == nil {
			t.Errorf("%s: %v, then %v", same, was[same], is[same])
		}
	}
	for _, moved := range []string{"iat", "exp"} {
		if whole(t, is[moved])-whole(t, was[moved]) != 60 {
			t.Errorf("%s: %v, then %v", moved, was[moved], is[moved])
		}
	}
	if whole(t, is["refresh_exp"])-whole(t, was["iat"]) != 86400 {
		t.Errorf("refresh_exp %v of iat %v", is["refresh_exp"], was["iat"])
	}
	for _, raw := range []string{first, second} {
		if k.Verify(t, raw) != 200 {
			t.Error("a copy is not valid")
		}
	}
	k.Advance(5*time.Minute + issuerkit.Leeway - time.Minute)
	want(t, slide(t, k, first), 401, expired)
	slide(t, k, second).Must(t, 200)
	if got := k.Metric(t, `tollgate_tokens_issued_total{grant="refresh_token",kind="sliding"}`); got != "2" {
		t.Errorf("%s sliding tokens counted", got)
	}
}

// TestSlidingEnds: at refresh_exp a living token is refused; and a token without the
// claim is none.
func TestSlidingEnds(t *testing.T) {
	k := opened(t, issuerkit.Options{Sessions: func(s *session.Settings) { s.SlidingRefreshTTL = 7 * time.Minute }})
	raw := mustSliding(t, k, "alice")
	for range 2 {
		k.Advance(3 * time.Minute)
		raw, _ = slide(t, k, raw).Must(t, 200).Map(t)["token"].(string)
	}
	k.Advance(time.Minute + issuerkit.Leeway)
	if k.Verify(t, raw) != 200 {
		t.Error("the token is not valid")
	}
	want(t, slide(t, k, raw), 401, `{"detail":"Token 'refresh_exp' claim has expired","code":"token_not_valid"}`)
	claims := issuerkit.Claims(t, raw)
	delete(claims, "refresh_exp")
	want(t, slide(t, k, k.MustForge(t, claims)), 401, `{"detail":"Token has no 'refresh_exp' claim","code":"token_not_valid"}`)
}

// TestSlidingRefused: what ends a session ends its sliding token; who is gone or
// disabled gets no later copy.
func TestSlidingRefused(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	raw := mustSliding(t, k, "alice")
	want(t, k.Post(t, "/api/logout/", nil, raw), 200, goodbye)
	want(t, slide(t, k, raw), 401, blacklisted)
	want(t, k.Post(t, "/api/token/verify/", map[string]any{"token": raw}), 400, blacklisted4)
	wantRefusedPage(t, k.Post(t, "/api/logout/", nil, raw), "Token is blacklisted", "revoked")

	raw = mustSliding(t, k, "alice")
	claims := issuerkit.Claims(t, raw)
	claims["jti"] = "another"
	want(t, slide(t, k, k.MustForge(t, claims)), 401, invalid)
	pair := k.MustLogin(t, "alice")
	claims["sid"] = issuerkit.Text(t, pair.Access, "sid")
	want(t, slide(t, k, k.MustForge(t, claims)), 401, invalid)
	for _, p := range []string{pair.Access, pair.Refresh} {
		want(t, slide(t, k, p), 401, wrongType)
	}
	want(t, refresh(t, k, raw), 401, wrongType)
	if err := k.Disable(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	want(t, slide(t, k, raw), 401, noAccountNow)
	k.Mini.Close()
	wantUnavailable(t, slide(t, k, raw), unavailable)
}
