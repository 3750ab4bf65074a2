package issuer_test

import (
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/session"
	"tollgate/revocation"
)

// TestVerify walks the states of a token. Verifying spends nothing.
func TestVerify(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	verify := func(token string) issuerkit.Answer {
		t.Helper()
		return k.Post(t, "/api/token/verify/", map[string]any{"token": token})
	}
	first := k.MustLogin(t, "alice")
	for range 2 {
		want(t, verify(first.Access), 200, `{}`)
		want(t, verify(first.Refresh), 200, `{}`)
	}
	second := k.MustRefresh(t, first.Refresh) // current above did not become a replay
	want(t, verify(second.Refresh), 200, `{}`)
	want(t, verify(first.Refresh), 400, blacklisted4) // within the grace: refresh would still repeat itself
	k.Advance(2 * issuerkit.Grace)
	want(t, verify(first.Refresh), 400, blacklisted4)
	alive(t, k, second) // and that was no reuse
	if line := k.Logs.Last(t, "issuer:verify"); line["decision"] != "allow" || line["sub"] != "1" {
		t.Errorf("logged %v", line)
	}

	k.Advance(issuerkit.AccessTTL + issuerkit.Leeway)
	want(t, verify(second.Access), 401, expired)
	want(t, verify(second.Refresh), 200, `{}`)
	want(t, verify("garbage"), 401, invalid)
	now := k.Now().Unix()
	for _, row := range forged(now) {
		switch row.name {
		case "no session", "no generation", "a generation that is text", "generation nought", "a session that the store does not know", "a user who is not there":
			row.want = invalid // no record says that it is the current one
		}
		status := 401
		if row.name == "sliding" { // a type of its own, which verify takes as any other
			status, row.want = 200, `{}`
		}
		t.Run(row.name, func(t *testing.T) { want(t, verify(k.MustForge(t, row.claims)), status, row.want) })
	}
	k.Advance(issuerkit.RefreshTTL)
	want(t, verify(second.Refresh), 401, expired)
}

// TestVerifyOfRevoked: every kind of revocation is seen, and undone again.
func TestVerifyOfRevoked(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	access := issuerkit.Claims(t, pair.Access)
	for _, o := range []revocation.Order{
		{Kind: revocation.KindJTI, Value: access["jti"].(string)},
		{Kind: revocation.KindSession, Value: access["sid"].(string)},
		{Kind: revocation.KindSubject, Value: "1"},
		{Kind: revocation.KindKey, Value: issuerkit.Header(t, pair.Access)["kid"].(string)},
		{Kind: revocation.KindAll},
	} {
		r, err := k.Revocations.Revoke(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		want(t, k.Post(t, "/api/token/verify/", map[string]any{"token": pair.Access}), 400, blacklisted4)
		wantRefusedPage(t, k.Post(t, "/api/logout/", nil, pair.Access), "Token is blacklisted", "revoked")
		if line := k.Logs.Last(t, "issuer:logout"); line["reason"] != "revoked" || line["jti"] != access["jti"] {
			t.Errorf("%s: logged %v", o.Kind, line)
		}
		if _, err := k.Revocations.Undo(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
		alive(t, k, pair)
	}
}

// TestBlacklist walks the states of a refresh token.
func TestBlacklist(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	blacklist := func(token string) issuerkit.Answer {
		t.Helper()
		return k.Post(t, "/api/token/blacklist/", map[string]any{"refresh": token})
	}
	t.Run("current", func(t *testing.T) {
		pair, other := k.MustLogin(t, "alice"), k.MustLogin(t, "alice")
		want(t, blacklist(pair.Refresh), 200, `{}`)
		ended(t, k, pair)
		want(t, blacklist(pair.Refresh), 401, blacklisted)
		alive(t, k, other)
	})
	t.Run("the one before, within the grace", func(t *testing.T) {
		first := k.MustLogin(t, "alice")
		second := k.MustRefresh(t, first.Refresh)
		want(t, blacklist(first.Refresh), 200, `{}`)
		ended(t, k, first, second)
	})
	t.Run("spent", func(t *testing.T) {
		first := k.MustLogin(t, "alice")
		second := k.MustRefresh(t, first.Refresh)
		k.Advance(2 * issuerkit.Grace)
		want(t, blacklist(first.Refresh), 401, blacklisted)
		alive(t, k, second)
	})
	t.Run("of a session that the store lost", func(t *testing.T) {
		pair := k.MustLogin(t, "alice")
		k.Mini.Del("t:s:{" + issuerkit.Text(t, pair.Access, "sid") + "}")
		want(t, refresh(t, k, pair.Refresh), 401, invalid)
		if got := k.Metric(t, `tollgate_refresh_total{result="store_lost"}`); got != "1" {
			t.Errorf("%s lost sessions counted", got)
		}
		if status := k.Verify(t, pair.Access); status != 200 {
			t.Errorf("the access token: %d", status)
		}
		want(t, blacklist(pair.Refresh), 200, `{}`)
		ended(t, k, pair)
	})
	t.Run("of a user who is disabled", func(t *testing.T) {
		pair := k.MustLogin(t, "bob")
		if err := k.Disable(t.Context(), "bob"); err != nil {
			t.Fatal(err)
		}
		want(t, blacklist(pair.Refresh), 200, `{}`)
	})
	t.Run("not one", func(t *testing.T) {
		pair := k.MustLogin(t, "alice")
		want(t, blacklist("garbage"), 401, invalid)
		want(t, blacklist(pair.Access), 401, wrongType)
		k.Advance(issuerkit.RefreshTTL + issuerkit.Leeway)
		want(t, blacklist(pair.Refresh), 401, expired)
	})
	if got := k.Metric(t, `tollgate_revocations_total{kind="session",source="blacklist"}`); got != "4" {
		t.Errorf("%s blacklistings counted", got)
	}
}

// TestLeeway: exp counts with the leeway, to the second.
func TestLeeway(t *testing.T) {
	k := opened(t, issuerkit.Options{Sessions: func(s *session.Settings) { s.AccessTTL = time.Minute }})
	pair := k.MustLogin(t, "alice")
	k.Advance(time.Minute + issuerkit.Leeway - time.Second)
	if status := k.Verify(t, pair.Access); status != 200 {
		t.Errorf("a second before: %d", status)
	}
	k.Advance(time.Second)
	if status := k.Verify(t, pair.Access); status != 401 {
		t.Errorf("at exp and leeway: %d", status)
	}
}
