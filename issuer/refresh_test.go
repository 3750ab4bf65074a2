package issuer_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/session"
	"tollgate/issuer/users"
)

// TestRotation: the new pair works and is of the same session; the token that was
// spent is refused afterwards, and takes the session with it.
func TestRotation(t *testing.T) {
	k := opened(t, issuerkit.Options{Sessions: func(s *session.Settings) { s.Grace = 0 }})
	other := k.MustLogin(t, "alice")
	first := k.MustLogin(t, "alice")
	k.Advance(time.Minute)
	a := refresh(t, k, first.Refresh).Must(t, 200)
	wantHeaders(t, a)
	if !strings.HasPrefix(a.Body, `{"access":"`) { // SimpleJWT's order, where a log-in's begins with the refresh token
		t.Errorf("the answer does not begin with the access token: %.20s", a.Body)
	}
	var second issuerkit.Pair
	a.Into(t, &second)
	before, after := issuerkit.Claims(t, first.Refresh), issuerkit.Claims(t, second.Refresh)
	for claim, same := range map[string]bool{"sid": true, "sub": true, "jti": false, "exp": false, "iat": false, "gen": false} {
		if (before[claim] == after[claim]) != same {
			t.Errorf("claim %s: %v, then %v", claim, before[claim], after[claim])
		}
	}
	access := issuerkit.Claims(t, second.Access)
	if access["iat"] != number(k.Now().Unix()) || access["exp"] != number(k.Now().Add(issuerkit.AccessTTL).Unix()) {
		t.Errorf("iat and exp are not of the refresh: %v", access)
	}
	alive(t, k, second, other)
	if status := k.Verify(t, first.Access); status != 200 {
		t.Errorf("the access token of before: %d", status)
	}
	third := k.MustRefresh(t, second.Refresh)
	alive(t, k, third)

	want(t, refresh(t, k, first.Refresh), 401, blacklisted)
	ended(t, k, third, second)
	alive(t, k, other)
	for series, n := range map[string]string{
		`tollgate_refresh_total{result="rotated"}`: "2", `tollgate_refresh_total{result="reuse"}`: "1",
		`tollgate_revocations_total{kind="session",source="reuse"}`: "1",
	} {
		if got := k.Metric(t, series); got != n {
			t.Errorf("%s %s, want %s", series, got, n)
		}
	}
	if line := k.Logs.Last(t, "issuer:refresh"); line["reason"] != "revoked" || line["sub"] != "1" {
		t.Errorf("logged %v", line)
	}
}

// TestReplay: within the grace the same token gets the same pair again, from one
// tab or from many; after it, it is reuse.
func TestReplay(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	first := k.MustLogin(t, "alice")
	second := k.MustRefresh(t, first.Refresh)
	k.Advance(issuerkit.Grace)
	again := k.MustRefresh(t, first.Refresh)
	if diff := cmp.Diff(issuerkit.Claims(t, second.Refresh), issuerkit.Claims(t, again.Refresh)); diff != "" {
		t.Errorf("refresh token (-first +second answer):\n%s", diff)
	}
	if diff := cmp.Diff(issuerkit.Claims(t, second.Access), issuerkit.Claims(t, again.Access)); diff != "" {
		t.Errorf("access token (-first +second answer):\n%s", diff)
	}
	if got := k.Metric(t, `tollgate_refresh_total{result="replayed"}`); got != "1" {
		t.Errorf("%s replays counted", got)
	}
	alive(t, k, again)
	k.Advance(time.Millisecond)
	want(t, refresh(t, k, first.Refresh), 401, blacklisted)
	ended(t, k, second)
}

// TestUndelivered: an answer that never arrived can be fetched again long after
// the grace, for ten minutes, and is no theft.
func TestUndelivered(t *testing.T) {
	k := opened(t, issuerkit.Options{Sessions: func(s *session.Settings) { s.Grace = 0 }})
	first := k.MustLogin(t, "alice")
	claims := issuerkit.Claims(t, first.Refresh)
	// The script ran, and the process died before its answer.
	lost, err := k.Sessions.Rotate(t.Context(), claims["sid"].(string), 1, claims["jti"].(string))
	if err != nil {
		t.Fatal(err)
	}
	k.Advance(9 * time.Minute)
	if second := k.MustRefresh(t, first.Refresh); issuerkit.Text(t, second.Refresh, "jti") != lost.Refresh.JTI {
		t.Error("another pair than the one that was lost")
	}
	want(t, refresh(t, k, first.Refresh), 401, blacklisted) // now it was delivered
}

// TestParallelRefresh: many tabs present the same token at once; each is answered,
// and there is one successor.
func TestParallelRefresh(t *testing.T) {
	const tabs = 20
	k := opened(t, issuerkit.Options{Connections: tabs})
	first := k.MustLogin(t, "alice")
	pairs := make([]issuerkit.Pair, tabs)
	var wg sync.WaitGroup
	for i := range pairs {
		wg.Go(func() { pairs[i] = k.MustRefresh(t, first.Refresh) })
	}
	wg.Wait()
	for _, p := range pairs {
		if issuerkit.Text(t, p.Refresh, "jti") != issuerkit.Text(t, pairs[0].Refresh, "jti") || issuerkit.Text(t, p.Access, "jti") != issuerkit.Text(t, pairs[0].Access, "jti") {
			t.Fatal("two successors")
		}
	}
	alive(t, k, pairs...)
}

// TestRefreshRefuses walks the tokens that are no living refresh token.
func TestRefreshRefuses(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	now := k.Now().Unix()
	for _, row := range forged(now) {
		t.Run(row.name, func(t *testing.T) {
			want(t, refresh(t, k, k.MustForge(t, row.claims)), 401, row.want)
		})
	}
	broken := pair.Refresh[:len(pair.Refresh)-10] + "AAAAAAAAAA"
	for name, row := range map[string]struct{ token, want string }{
		"garbage": {"garbage", invalid}, "signature": {broken, invalid}, "access token": {pair.Access, wrongType},
		"two tokens": {pair.Refresh + " " + pair.Refresh, invalid}, "padded": {pair.Refresh + "=", invalid},
		"nine thousand": {pair.Refresh + string(make9k()), invalid},
	} {
		t.Run(name, func(t *testing.T) { want(t, refresh(t, k, row.token), 401, row.want) })
	}
	alive(t, k, pair)
	k.Advance(issuerkit.RefreshTTL + issuerkit.Leeway)
	want(t, refresh(t, k, pair.Refresh), 401, expired)
}

func make9k() []byte {
	b := make([]byte, 9<<10)
	for i := range b {
		b[i] = 'A'
	}
	return b
}

// forged are tokens with a good signature whose claims are not those of a living
// refresh token, in the order of SimpleJWT's checks.
func forged(now int64) []struct {
	name   string
	claims map[string]any
	want   string
} {
	claims := func(change map[string]any) map[string]any {
		out := map[string]any{"iss": issuerkit.Issuer, "sub": "1", "user_id": "1", "jti": "j", "token_type": "refresh", "iat": now, "exp": now + 300, "sid": session.NewID(now * 1e6), "gen": 1}
		for k, v := range change {
			if out[k] = v; v == nil {
				delete(out, k)
			}
		}
		return out
	}
	return []struct {
		name   string
		claims map[string]any
		want   string
	}{
		{"no type", claims(map[string]any{"token_type": nil}), `{"detail":"Token has no type","code":"token_not_valid"}`},
		{"sliding", claims(map[string]any{"token_type": "sliding"}), wrongType},
		{"no jti", claims(map[string]any{"jti": nil}), `{"detail":"Token has no id","code":"token_not_valid"}`},
		{"no exp", claims(map[string]any{"exp": nil}), `{"detail":"Token has no 'exp' claim","code":"token_not_valid"}`},
		{"exp passed", claims(map[string]any{"exp": now - 10}), expired},
		{"iat ahead", claims(map[string]any{"iat": now + 60, "exp": now + 120}), invalid},
		{"nbf ahead", claims(map[string]any{"nbf": now + 60}), invalid},
		{"another issuer", claims(map[string]any{"iss": "https://other.example"}), invalid},
		{"no subject", claims(map[string]any{"sub": nil}), invalid},
		{"no session", claims(map[string]any{"sid": nil}), invalid},
		{"no generation", claims(map[string]any{"gen": nil}), invalid},
		{"a generation that is text", claims(map[string]any{"gen": "1"}), invalid},
		{"generation nought", claims(map[string]any{"gen": 0}), invalid},
		{"a session that the store does not know", claims(nil), invalid},
		{"a user who is not there", claims(map[string]any{"sub": "99"}), noAccountNow},
	}
}

// TestRefreshOfAnInactiveUser: whoever was disabled or removed since the log-in
// gets nothing more, and comes back when enabled again.
func TestRefreshOfAnInactiveUser(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	alice, bob := k.MustLogin(t, "alice"), k.MustLogin(t, "bob")
	if err := k.Disable(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if err := k.Users.Remove(t.Context(), "bob"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []issuerkit.Pair{alice, bob} {
		want(t, refresh(t, k, p.Refresh), 401, noAccountNow)
	}
	want(t, k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": issuerkit.Password}), 401, noAccount)
	if err := k.Enable(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	alive(t, k, k.MustRefresh(t, alice.Refresh)) // being refused cost no generation
}

// TestRefreshReadsTheUserAnew: what a token says of its user is what holds now.
func TestRefreshReadsTheUserAnew(t *testing.T) {
	k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) {
		c.Claims.Custom = []issuer.CustomClaim{{Claim: "mail", Attribute: "email"}}
	}})
	pair := k.MustLogin(t, "alice")
	email := "new@example.com"
	if _, err := k.Users.Update(t.Context(), "alice", users.Patch{Email: &email}); err != nil {
		t.Fatal(err)
	}
	if next := k.MustRefresh(t, pair.Refresh); issuerkit.Text(t, next.Access, "mail") != email || issuerkit.Text(t, next.Refresh, "mail") != email {
		t.Error("the claims are those of the log-in")
	}
}

// TestWithoutRotation: the refresh token stays, and only an access token comes.
func TestWithoutRotation(t *testing.T) {
	k := opened(t, issuerkit.Options{
		Sessions: func(s *session.Settings) { s.Rotate, s.Grace = false, 0 },
		Issuer:   func(c *issuer.Config) { c.Rotate = false },
	})
	pair := k.MustLogin(t, "alice")
	for range 3 {
		k.Advance(time.Minute)
		a := refresh(t, k, pair.Refresh).Must(t, 200)
		if fields := a.Map(t); len(fields) != 1 || fields["access"] == nil {
			t.Errorf("members %v", fields)
		}
		var next issuerkit.Pair
		a.Into(t, &next)
		alive(t, k, issuerkit.Pair{Access: next.Access, Refresh: pair.Refresh})
	}
}

// TestLongestSession: rotation does not outlive SESSION_MAX_TTL.
func TestLongestSession(t *testing.T) {
	k := opened(t, issuerkit.Options{Sessions: func(s *session.Settings) { s.MaxTTL = 30 * time.Hour }})
	pair := k.MustLogin(t, "alice")
	end := k.Now().Add(30 * time.Hour)
	k.Advance(20 * time.Hour)
	pair = k.MustRefresh(t, pair.Refresh)
	if exp := issuerkit.Claims(t, pair.Refresh)["exp"]; exp != number(end.Unix()) {
		t.Errorf("exp %v, want %d", exp, end.Unix())
	}
	k.Advance(10 * time.Hour) // within the leeway of the token, past the session
	want(t, refresh(t, k, pair.Refresh), 401, expired)
	if got := k.Metric(t, `tollgate_refresh_total{result="expired"}`); got != "1" {
		t.Errorf("%s expired refreshes counted", got)
	}
}
