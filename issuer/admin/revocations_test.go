package admin_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/revocation"
)

const revocations = "/admin/v1/revocations"

// revoke posts a revocation and returns the answer's members.
func revoke(t *testing.T, k *issuerkit.Kit, kind, value string) map[string]any {
	t.Helper()
	return wantDone(t, k.Control(t, "POST", revocations, map[string]any{"kind": kind, "value": value, "reason": "because"}), 201)
}

// TestRevokeOfAnUnknownIssuer: it is done, since an edge may trust whom this process does
// not; whoever mistyped is told.
func TestRevokeOfAnUnknownIssuer(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	order := map[string]any{"kind": "subject", "value": "1", "issuer": "https://auht.example.com"}
	if made := wantDone(t, k.Control(t, "POST", revocations, order), 201); !strings.Contains(fmt.Sprint(made["warning"]), "trusts no issuer") {
		t.Errorf("%v", made)
	}
	if made := revoke(t, k, "subject", "1"); made["warning"] != nil {
		t.Errorf("%v", made)
	}
}

// TestRevoke walks the kinds: what is refused at once, what is not, how long the
// revocation lasts, and what the answer says.
func TestRevoke(t *testing.T) {
	for _, row := range []struct {
		kind  string
		value func(p issuerkit.Pair, kid string) string
		// What a token of the pair, of the user's other log-in, of another user's,
		// and of a log-in right after is worth to verify.
		access, refresh, other, bob, next int
		ttl                               time.Duration
		shown                             func(p issuerkit.Pair, kid string) string // value in the answer; nil: as sent
		shownKind                         string
	}{
		{
			kind: "jti", value: func(p issuerkit.Pair, _ string) string { return issuerkit.Text(t, p.Access, "jti") },
			access: 400, refresh: 200, other: 200, bob: 200, next: 200, ttl: issuerkit.AccessTTL,
		},
		{ // the jti of a refresh token stands for its session
			kind: "jti", value: func(p issuerkit.Pair, _ string) string { return issuerkit.Text(t, p.Refresh, "jti") },
			access: 400, refresh: 400, other: 200, bob: 200, next: 200, ttl: issuerkit.AccessTTL,
		},
		{
			kind: "session", value: func(p issuerkit.Pair, _ string) string { return issuerkit.Text(t, p.Access, "sid") },
			access: 400, refresh: 400, other: 200, bob: 200, next: 200, ttl: issuerkit.RefreshTTL,
		},
		{
			kind: "subject", value: func(issuerkit.Pair, string) string { return "1" },
			access: 400, refresh: 400, other: 400, bob: 200, next: 200, ttl: issuerkit.MaxTTL,
		},
		{
			kind: "all", value: func(issuerkit.Pair, string) string { return "" },
			access: 400, refresh: 400, other: 400, bob: 400, next: 200, ttl: issuerkit.MaxTTL,
		},
		{ // its key is out of the ring too, so that its tokens are nobody's
			kind: "key", value: func(_ issuerkit.Pair, kid string) string { return kid },
			access: 401, refresh: 401, other: 401, bob: 401, next: 200,
		},
		{
			kind: "token", value: func(p issuerkit.Pair, _ string) string { return p.Access },
			access: 400, refresh: 200, other: 200, bob: 200, next: 200, ttl: issuerkit.AccessTTL,
			shownKind: "jti", shown: func(p issuerkit.Pair, _ string) string { return issuerkit.Text(t, p.Access, "jti") },
		},
		{
			kind: "token", value: func(p issuerkit.Pair, _ string) string { return p.Refresh },
			access: 400, refresh: 400, other: 200, bob: 200, next: 200, ttl: issuerkit.RefreshTTL,
			shownKind: "session", shown: func(p issuerkit.Pair, _ string) string { return issuerkit.Text(t, p.Access, "sid") },
		},
	} {
		t.Run(row.kind, func(t *testing.T) {
			k := opened(t, issuerkit.Options{})
			pair, other, bob := k.MustLogin(t, "alice"), k.MustLogin(t, "alice"), k.MustLogin(t, "bob")
			kid := issuerkit.Header(t, pair.Access)["kid"].(string)
			value := row.value(pair, kid)
			body := revoke(t, k, row.kind, value)
			if row.shown == nil {
				row.shown, row.shownKind = func(issuerkit.Pair, string) string { return value }, row.kind
			}
			for member, want := range map[string]any{
				"kind": row.shownKind, "value": row.shown(pair, kid), "issuer": issuerkit.Issuer, "reason": "because", "actor": "bootstrap", "undone_at": nil,
			} {
				if body[member] != want {
					t.Errorf("%s is %v, want %v", member, body[member], want)
				}
			}
			if edges, _ := body["edges"].(map[string]any); len(edges) != 2 || edges["live"] == nil || edges["applied"] == nil {
				t.Errorf("edges %v", body["edges"])
			}
			if at := after(t, body["revoked_at"], k.Now()); at < 0 || at > time.Second {
				t.Errorf("revoked_at is %s from now", at)
			}
			if row.ttl == 0 && body["expires_at"] != nil {
				t.Errorf("expires_at %v: a key's never does", body["expires_at"])
			} else if row.ttl > 0 {
				if at := after(t, body["expires_at"], k.Now()); at != row.ttl {
					t.Errorf("expires_at is %s from now, want %s", at, row.ttl)
				}
			}
			wantTTL(t, k, body, row.ttl)
			next := k.MustLogin(t, "alice")
			for what, check := range map[string]struct {
				token string
				want  int
			}{
				"access token": {pair.Access, row.access}, "refresh token": {pair.Refresh, row.refresh}, "other log-in": {other.Access, row.other},
				"other user": {bob.Refresh, row.bob}, "next log-in": {next.Refresh, row.next},
			} {
				if got := k.Verify(t, check.token); got != check.want {
					t.Errorf("%s: verify says %d, want %d", what, got, check.want)
				}
			}
			if got := k.Metric(t, `tollgate_revocations_total{kind="`+row.kind+`",source="api"}`); got != "1" {
				t.Errorf("%s counted", got)
			}
		})
	}
}

// wantTTL: the entry in Redis lives as long as what it ends, and the leeway.
func wantTTL(t *testing.T, k *issuerkit.Kit, body map[string]any, life time.Duration) {
	t.Helper()
	digest, _, _ := strings.Cut(body["id"].(string), "-")
	want := life + issuerkit.Leeway
	if life == 0 {
		want = 0
	}
	if got := k.Mini.TTL("t:{rev}:e:" + digest); got != want {
		t.Errorf("the entry lives %s, want %s", got, want)
	}
}

// TestRevokeToken walks the whole tokens that can be given.
func TestRevokeToken(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	old := k.MustLogin(t, "alice")
	sliding := k.MustForge(t, map[string]any{
		"iss": issuerkit.Issuer, "sub": "1", "jti": "sliding-1", "token_type": "sliding", "iat": k.Now().Unix(), "exp": k.Now().Unix() + 60,
	})
	if body := revoke(t, k, "token", sliding); body["kind"] != "jti" || body["value"] != "sliding-1" || body["subject"] != "1" {
		t.Errorf("%v", body)
	}
	if body := revoke(t, k, "token", pair.Access); body["id"] != revoke(t, k, "token", pair.Access)["id"] {
		t.Error("revoking again is another revocation")
	}
	for name, value := range map[string]string{
		"garbage": "garbage", "nothing": "", "a stranger's": "eyJhbGciOiJFUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJodHRwczovL290aGVyIn0.AAAA",
		"unsigned": strings.Join(strings.Split(pair.Access, ".")[:2], ".") + ".", "another signature": pair.Access[:len(pair.Access)-10] + "AAAAAAAAAA",
		"of another issuer": k.MustForge(t, map[string]any{"iss": "https://other.example", "sub": "1", "jti": "j", "exp": k.Now().Unix() + 60}),
	} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, k.Control(t, "POST", revocations, map[string]any{"kind": "token", "value": value}), 422, "not_a_token")
		})
	}
	k.Advance(issuerkit.AccessTTL + issuerkit.Leeway)
	body := revoke(t, k, "token", old.Access) // its life is over, which is no fault
	if body["kind"] != "jti" || after(t, body["expires_at"], k.Now()) > 0 {
		t.Errorf("%v", body)
	}
	if k.Verify(t, old.Refresh) != 200 {
		t.Error("an expired access token ended its session")
	}
}

// TestRevokeOfAnotherIssuer touches nothing of ours.
func TestRevokeOfAnotherIssuer(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	for kind, value := range map[string]string{
		"jti": issuerkit.Text(t, pair.Refresh, "jti"), "session": issuerkit.Text(t, pair.Access, "sid"), "subject": "1",
		"key": issuerkit.Header(t, pair.Access)["kid"].(string), "all": "",
	} {
		body := wantDone(t, k.Control(t, "POST", revocations, map[string]any{"kind": kind, "value": value, "issuer": "https://other.example"}), 201)
		if body["issuer"] != "https://other.example" {
			t.Errorf("%s: %v", kind, body)
		}
	}
	for _, token := range []string{pair.Access, pair.Refresh} {
		if k.Verify(t, token) != 200 {
			t.Error("a token of ours is refused")
		}
	}
	k.MustRefresh(t, pair.Refresh)
}

// TestRevokeOfAnIssuerWithoutACap: nobody knows how long a token of it can live, so what
// is revoked of it stays revoked unless an end is given.
func TestRevokeOfAnIssuerWithoutACap(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	latest := time.Unix(revocation.Latest, 0)
	for _, kind := range []string{"jti", "session", "subject", "all", "key"} {
		value := "x"
		if kind == "all" {
			value = ""
		}
		body := wantDone(t, k.Control(t, "POST", revocations, map[string]any{"kind": kind, "value": value, "issuer": "https://other.example"}), 201)
		if kind == "key" {
			if body["expires_at"] != nil {
				t.Errorf("key: %v", body)
			}
			continue
		}
		if at := after(t, body["expires_at"], latest); at != 0 {
			t.Errorf("%s: expires_at %v", kind, body["expires_at"])
		}
	}
	body := wantDone(t, k.Control(t, "POST", revocations, map[string]any{
		"kind": "jti", "value": "y", "issuer": "https://other.example", "expires_at": k.Now().Add(time.Hour),
	}), 201)
	if at := after(t, body["expires_at"], k.Now()); at != time.Hour {
		t.Errorf("with an end of its own: %s", at)
	}
}

// TestRevokeTokenOfPartsOfASecond: a token is refused to the end of its last second.
func TestRevokeTokenOfPartsOfASecond(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	raw := k.MustForge(t, map[string]any{
		"iss": issuerkit.Issuer, "sub": "1", "jti": "parts", "token_type": "access", "iat": k.Now().Unix(), "exp": float64(k.Now().Unix()) + 60.75,
	})
	if body := revoke(t, k, "token", raw); after(t, body["expires_at"], k.Now()) != 61*time.Second {
		t.Errorf("expires_at %v", body["expires_at"])
	}
	k.Advance(60*time.Second + issuerkit.Leeway)
	if k.Verify(t, raw) != 400 {
		t.Error("accepted in the last second of its life")
	}
}

// TestRevokeBareValues: a jti, sid or kid that nobody knows can be revoked; an
// expiry that is given counts.
func TestRevokeBareValues(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	expires := time.Now().UTC().Add(48 * time.Hour).Truncate(time.Millisecond)
	for kind, value := range map[string]string{"jti": "j", "session": revocation.NewSessionID(k.Now().UnixMicro()), "subject": "9", "all": ""} {
		body := wantDone(t, k.Control(t, "POST", revocations, map[string]any{"kind": kind, "value": value, "expires_at": expires.In(time.FixedZone("", 3600)), "wait": "2s"}), 201)
		if kind == "session" { // ended for as long as any session can live, and that is longer
			if at := after(t, body["expires_at"], k.Now()); at != issuerkit.MaxTTL {
				t.Errorf("session: expires_at is %s from now", at)
			}
			continue
		}
		if at := after(t, body["expires_at"], expires); at != 0 {
			t.Errorf("%s: expires_at is %s off", kind, at)
		}
	}
	for _, kind := range []string{"session", "key"} {
		revoke(t, k, kind, "a value that is not one of ours")
	}
}

// TestRevokeInvalid walks what cannot be meant.
func TestRevokeInvalid(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	for name, body := range map[string]map[string]any{
		"no kind": {"value": "x"}, "unknown kind": {"kind": "jit", "value": "x"}, "kind in capitals": {"kind": "JTI", "value": "x"}, "no value": {"kind": "jti"},
		"all with a value": {"kind": "all", "value": "x"}, "long kid": {"kind": "key", "value": strings.Repeat("x", 2000)},
		"long reason": {"kind": "jti", "value": "x", "reason": strings.Repeat("x", 2000)}, "long issuer": {"kind": "jti", "value": "x", "issuer": strings.Repeat("x", 2000)},
	} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, k.Control(t, "POST", revocations, body), 422, "invalid")
		})
	}
	// No token has a name of more than 255 bytes.
	for _, kind := range []string{"jti", "session", "subject"} {
		wantDone(t, k.Control(t, "POST", revocations, map[string]any{"kind": kind, "value": strings.Repeat("x", 255)}), 201)
		a := k.Control(t, "POST", revocations, map[string]any{"kind": kind, "value": strings.Repeat("x", 256)})
		wantProblem(t, a, 400, "bad_request")
	}
}

// TestIdempotence: revoking what is revoked is the same revocation; a cut-off is a
// new one each time, for more may have been born since.
func TestIdempotence(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	for kind, value := range map[string]string{"jti": "j", "session": issuerkit.Text(t, pair.Access, "sid"), "key": "k"} {
		if revoke(t, k, kind, value)["id"] != revoke(t, k, kind, value)["id"] {
			t.Errorf("%s: two revocations", kind)
		}
	}
	for kind, value := range map[string]string{"subject": "1", "all": ""} {
		if revoke(t, k, kind, value)["id"] == revoke(t, k, kind, value)["id"] {
			t.Errorf("%s: one cut-off", kind)
		}
	}
}

// TestUndo: what was revoked by mistake is good again, is no longer listed, and
// can be undone twice.
func TestUndo(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	for kind, value := range map[string]string{"jti": issuerkit.Text(t, pair.Access, "jti"), "subject": "1", "all": ""} {
		body := revoke(t, k, kind, value)
		path := revocations + "/" + body["id"].(string)
		if shown := wantDone(t, k.Control(t, "GET", path, nil), 200); shown["id"] != body["id"] || shown["undone_at"] != nil || shown["edges"] != nil {
			t.Errorf("%v", shown)
		}
		if k.Verify(t, pair.Access) != 400 {
			t.Errorf("%s: not revoked", kind)
		}
		k.Advance(time.Second)
		first := wantDone(t, k.Control(t, "DELETE", path, nil), 200)
		if at := after(t, first["undone_at"], k.Now()); at < 0 || at > time.Second {
			t.Errorf("%s: undone_at is %s from now", kind, at)
		}
		if second := wantDone(t, k.Control(t, "DELETE", path, nil), 200); second["undone_at"] != first["undone_at"] {
			t.Errorf("%s: undone twice: %v, %v", kind, first, second)
		}
		if k.Verify(t, pair.Access) != 200 {
			t.Errorf("%s: still revoked", kind)
		}
		if shown := wantDone(t, k.Control(t, "GET", path, nil), 200); shown["undone_at"] != first["undone_at"] {
			t.Errorf("%v", shown)
		}
	}
	if found := items(t, wantDone(t, k.Control(t, "GET", revocations, nil), 200)); len(found) > 0 {
		t.Errorf("listed: %v", found)
	}
	for _, id := range []string{"x", strings.Repeat("0", 32) + "-1", strings.Repeat("0", 32), "..", "%00", url.PathEscape("a/b"), pair.Access} {
		for _, method := range []string{"GET", "DELETE"} {
			wantProblem(t, k.Control(t, method, revocations+"/"+id, nil), 404, "not_found")
		}
	}
}

// TestListRevocations: newest first, by kind, subject and issuer, page by page.
func TestListRevocations(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	list := func(query string) ([]map[string]any, string) {
		t.Helper()
		body := wantDone(t, k.Control(t, "GET", revocations+query, nil), 200)
		return items(t, body), body["next"].(string)
	}
	if found, next := list(""); len(found) > 0 || next != "" {
		t.Errorf("an empty store lists %v", found)
	}
	for i := range 7 {
		revoke(t, k, "jti", fmt.Sprint("jti-", i))
	}
	for _, subject := range []string{"1", "a/b &c", "1"} {
		revoke(t, k, "subject", subject)
	}
	wantDone(t, k.Control(t, "POST", revocations, map[string]any{"kind": "all", "issuer": "https://other.example"}), 201)
	for query, n := range map[string]int{
		"": 11, "?kind=jti": 7, "?kind=subject": 3, "?subject=1": 2, "?subject=a%2Fb+%26c": 1, "?kind=jti&subject=1": 0, "?kind=session": 0,
		"?issuer=https://other.example": 1, "?kind=signed": 0, "?limit=3": 3, "?limit=1000": 11, "?unknown=x": 11,
	} {
		if found, _ := list(query); len(found) != n {
			t.Errorf("%s: %d items, want %d", query, len(found), n)
		}
	}
	all, _ := list("")
	if all[0]["kind"] != "all" || all[10]["value"] != "jti-0" {
		t.Errorf("not newest first: %v … %v", all[0], all[10])
	}
	var paged []map[string]any
	for query, pages := "?limit=3", 0; ; pages++ {
		found, next := list(query)
		paged = append(paged, found...)
		if next == "" {
			break
		}
		if query = "?limit=3&cursor=" + url.QueryEscape(next); pages > 10 {
			t.Fatal("pages without end")
		}
	}
	ids := func(list []map[string]any) []any {
		var out []any
		for _, each := range list {
			out = append(out, each["id"])
		}
		return out
	}
	if !slices.Equal(ids(all), ids(paged)) {
		t.Errorf("by pages:\n%v\nat once:\n%v", ids(paged), ids(all))
	}
	if members := slices.Sorted(maps.Keys(all[0])); !slices.Equal(members, []string{"actor", "expires_at", "id", "issuer", "kind", "n", "revoked_at", "value"}) {
		t.Errorf("members %v", members)
	}
	for query, status := range map[string]int{
		"?kind=token": 400, "?kind=x": 400, "?limit=0": 400, "?limit=-1": 400, "?limit=1001": 400, "?limit=x": 400, "?cursor=x": 400,
	} {
		if a := k.Control(t, "GET", revocations+query, nil); a.Status != status {
			t.Errorf("%s: %d %s", query, a.Status, a.Body)
		}
	}
}
