package issuer_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/keys/token"
)

// TestRevoke is RFC 7009.
func TestRevoke(t *testing.T) {
	k := opened(t, issuerkit.Options{Audience: []string{"shop"}})
	c, other := mustClient(t, k, store.Client{ID: "c"}), mustClient(t, k, store.Client{Audiences: []string{"elsewhere"}})
	revoke := func(who *oauthClient, token string, more ...string) issuerkit.Answer {
		t.Helper()
		pairs := append([]string{"token", token}, more...)
		if who == nil {
			return sendForm(t, k, revokePath, nil, pairs...)
		}
		return sendForm(t, k, revokePath, who.basic(), pairs...)
	}
	done := func(a issuerkit.Answer) {
		t.Helper()
		uncached(t, a.Must(t, 200))
	}
	// Section 2.1: the access token alone.
	alice, bob := k.MustLogin(t, "alice"), k.MustLogin(t, "bob")
	done(revoke(nil, alice.Access, "token_type_hint", "refresh_token")) // a wrong hint is no hindrance
	if k.Verify(t, alice.Access) != 400 || k.Verify(t, alice.Refresh) != 200 {
		t.Error("not the access token alone")
	}
	// The refresh token, and with it its access tokens; a client may bring it.
	next := k.MustRefresh(t, alice.Refresh)
	done(revoke(&c, next.Refresh, "token_type_hint", "refresh_token"))
	if k.Verify(t, next.Access) != 400 || k.Verify(t, next.Refresh) != 400 {
		t.Error("the session lives")
	}
	alive(t, k, bob)
	// Section 2.2: what is over, unknown or no token is 200, and changes nothing.
	for name, token := range map[string]string{"revoked": next.Access, "ended": next.Refresh, "garbage": "x", "not ours": mustKeyPair(t, "k").assertion(t, k, "c", nil)} {
		if a := revoke(nil, token, "token_type_hint", "nonsense"); a.Status != 200 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	alive(t, k, bob)
	// A token of a client is that client's to revoke.
	token := other.mustToken(t, k)
	wantError(t, revoke(nil, token), 401, "invalid_client")
	wantError(t, revoke(&c, token), 400, "unauthorized_client")
	wantError(t, revoke(&oauthClient{other.id, "wrong"}, token), 401, "invalid_client")
	if !active(t, k, c, token) {
		t.Error("revoked by another")
	}
	done(revoke(&other, token))
	if active(t, k, c, token) {
		t.Error("not revoked by its client")
	}
	exchanger := mustClient(t, k, store.Client{})
	exchanged := exchanger.mustExchange(t, k, subjectPairs(bob.Access)...)
	wantError(t, revoke(nil, exchanged), 401, "invalid_client")
	done(revoke(&exchanger, exchanged))
	if active(t, k, c, exchanged) {
		t.Error("an exchanged token is active after its client has revoked it")
	}
	alive(t, k, bob)
	for _, a := range []issuerkit.Answer{sendForm(t, k, revokePath, nil), sendForm(t, k, revokePath, nil, "token", "", "token_type_hint", "x"), sendForm(t, k, revokePath, nil, "token", "a", "token", "a")} {
		wantError(t, a, 400, "invalid_request")
	}
	if got := k.Metric(t, `tollgate_revocations_total{kind="jti",source="oauth"}`); got != "3" {
		t.Errorf("%q revocations counted", got)
	}
}

// TestRevokeSpent: an old refresh token that somebody finds logs nobody out.
func TestRevokeSpent(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	first := k.MustLogin(t, "alice")
	second := k.MustRefresh(t, first.Refresh)
	third := k.MustRefresh(t, second.Refresh)
	sendForm(t, k, revokePath, nil, "token", first.Refresh).Must(t, 200)
	alive(t, k, third)
	// The one before may be all that the client has: its answer may not have arrived.
	sendForm(t, k, revokePath, nil, "token", second.Refresh).Must(t, 200)
	if k.Verify(t, third.Access) != 400 {
		t.Error("the session lives")
	}
}

// TestIntrospect is RFC 7662 section 2.
func TestIntrospect(t *testing.T) {
	k := opened(t, issuerkit.Options{Audience: []string{"shop", "billing"}})
	c := mustClient(t, k, store.Client{ID: "c", Scopes: []string{"a", "b"}, Audiences: []string{"elsewhere"}})
	off := mustClient(t, k, store.Client{Disabled: true})
	front := mustClient(t, k, store.Client{ID: "front", Audiences: []string{"shop"}})
	pair := k.MustLogin(t, "alice")
	ask := func(token string, more ...string) map[string]any {
		t.Helper()
		a := sendForm(t, k, introspectPath, c.basic(), append([]string{"token", token}, more...)...).Must(t, 200)
		uncached(t, a)
		return a.Map(t)
	}
	wantSame := func(name string, got, want map[string]any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	now := k.Now().Unix()
	wantSame("access", ask(pair.Access, "token_type_hint", "refresh_token"), map[string]any{
		"active": true, "username": "alice", "token_type": "Bearer", "exp": jsonInt(now + 300), "iat": jsonInt(now), "sub": "1",
		"aud": []any{"shop", "billing"}, "iss": issuerkit.Issuer, "jti": issuerkit.Text(t, pair.Access, "jti"),
	})
	wantSame("refresh", ask(pair.Refresh), map[string]any{
		"active": true, "username": "alice", "token_type": "N_A", "exp": jsonInt(now + 24*3600), "iat": jsonInt(now), "sub": "1",
		"aud": []any{"shop", "billing"}, "iss": issuerkit.Issuer, "jti": issuerkit.Text(t, pair.Refresh, "jti"),
	})
	own := c.mustToken(t, k)
	wantSame("a client's", ask(own), map[string]any{
		"active": true, "token_type": "Bearer", "exp": jsonInt(now + 300), "iat": jsonInt(now), "sub": "c", "client_id": "c", "scope": "a b",
		"aud": "elsewhere", "iss": issuerkit.Issuer, "jti": issuerkit.Text(t, own, "jti"),
	})
	exchanged := front.mustExchange(t, k, subjectPairs(pair.Access)...)
	wantSame("exchanged", ask(exchanged), map[string]any{
		"active": true, "username": "alice", "token_type": "Bearer", "exp": jsonInt(now + 300), "iat": jsonInt(now), "sub": "1", "client_id": "front",
		"aud": "shop", "iss": issuerkit.Issuer, "jti": issuerkit.Text(t, exchanged, "jti"), "act": map[string]any{"sub": "front"},
	})
	// Inactive is inactive, and nothing else.
	inactive := map[string]any{"active": false}
	wantSame("garbage", ask("x"), inactive)
	wantSame("another's", ask(mustKeyPair(t, "k").assertion(t, k, "c", nil)), inactive)
	next := k.MustRefresh(t, pair.Refresh)
	wantSame("spent", ask(pair.Refresh), inactive)
	k.Post(t, "/api/logout/", nil, next.Access).Must(t, 200)
	wantSame("ended", ask(next.Access), inactive)
	wantSame("ended refresh", ask(next.Refresh), inactive)
	k.Advance(5*time.Minute + issuerkit.Leeway)
	wantSame("expired", ask(own), inactive)
	// Section 2.1: not for everybody.
	for name, a := range map[string]issuerkit.Answer{
		"nobody":       sendForm(t, k, introspectPath, nil, "token", own),
		"wrong secret": sendForm(t, k, introspectPath, oauthClient{"c", "x"}.basic(), "token", own),
		"disabled":     sendForm(t, k, introspectPath, off.basic(), "token", own),
		"a user":       sendForm(t, k, introspectPath, issuerkit.Bearer(k.MustLogin(t, "bob").Access), "token", own),
	} {
		t.Run(name, func(t *testing.T) { wantError(t, a, 401, "invalid_client") })
	}
	wantError(t, sendForm(t, k, introspectPath, c.basic()), 400, "invalid_request")
	// One that is no resource server, whatever it asks about; what it is handed is as before.
	denied := mustClient(t, k, store.Client{NoIntrospection: true})
	for _, token := range []string{own, denied.mustToken(t, k), "x", ""} {
		wantError(t, sendForm(t, k, introspectPath, denied.basic(), "token", token), 400, "unauthorized_client")
	}
	wantError(t, sendForm(t, k, introspectPath, oauthClient{denied.id, "x"}.basic(), "token", own), 401, "invalid_client")
}

// TestIntrospectWithoutUser: a user who is gone has no name; his tokens are what the
// revocations say.
func TestIntrospectWithoutUser(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	c := mustClient(t, k, store.Client{})
	k.MustUser(t, users.New{Username: "gone", ID: "g"})
	pair := k.MustLogin(t, "gone")
	if err := k.Users.Remove(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	body := sendForm(t, k, introspectPath, c.basic(), "token", pair.Access).Must(t, 200).Map(t)
	if _, named := body["username"]; named || body["active"] != true {
		t.Errorf("%v", body)
	}
}

// TestRevokeWhatIsRefreshedByItself: a sliding token, and one of drf-jwt's, is an access
// and a refresh token in one. Revoking it ends every copy that was or will be made of it.
func TestRevokeWhatIsRefreshedByItself(t *testing.T) {
	for _, id := range []string{issuer.TokenIDRequire, issuer.TokenIDOff} {
		k := drfOpened(t, func(c *issuer.Config) { c.DRF.TokenID = id })
		for _, v := range []*token.Verifier{k.Verifier, k.Inspector} { // as the configuration would have it
			if err := v.Trust([]token.Issuer{{Name: issuerkit.Issuer, Own: true, Legacy: token.Legacy{NoJTI: id == issuer.TokenIDOff}, Keys: k.Ring}}); err != nil {
				t.Fatal(err)
			}
		}
		bystander := k.MustLogin(t, "alice")
		slide := k.Post(t, "/api/token/sliding/", map[string]any{"username": "alice", "password": issuerkit.Password}).Must(t, 200).Map(t)["token"].(string)
		later := k.Post(t, "/api/token/sliding/refresh/", map[string]any{"token": slide}).Must(t, 200).Map(t)["token"].(string)
		sendForm(t, k, revokePath, nil, "token", slide).Must(t, 200)
		for _, raw := range []string{slide, later} {
			if k.Verify(t, raw) != 400 {
				t.Errorf("%s: a sliding token lives on", id)
			}
		}
		first := drfLogin(t, k, "alice")
		k.Advance(time.Second)
		second := tokenOf(t, post(t, k, drfRefresh, first))
		if a := sendForm(t, k, revokePath, nil, "token", first); a.Status != 200 {
			t.Errorf("%s: %d %s", id, a.Status, a.Body)
		}
		drfAlive(t, k, false, first, second)
		alive(t, k, bystander)
	}
}
