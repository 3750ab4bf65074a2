package issuer_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/revocation"
)

func (c oauthClient) exchange(t *testing.T, k *issuerkit.Kit, pairs ...string) issuerkit.Answer {
	t.Helper()
	return sendForm(t, k, tokenPath, c.basic(), append([]string{"grant_type", exchangeGrant}, pairs...)...)
}

func (c oauthClient) mustExchange(t *testing.T, k *issuerkit.Kit, pairs ...string) string {
	t.Helper()
	token, _ := wantToken(t, c.exchange(t, k, pairs...))
	return token
}

// subjectPairs name a subject token.
func subjectPairs(token string, more ...string) []string {
	return append([]string{"subject_token", token, "subject_token_type", accessURN}, more...)
}

// TestExchange is RFC 8693 sections 2.1, 2.2.1 and 4.1: on behalf of a user, the
// client as actor.
func TestExchange(t *testing.T) {
	k := opened(t, issuerkit.Options{Audience: []string{"shop", "billing"}})
	c := mustClient(t, k, store.Client{ID: "front"})
	pair := k.MustLogin(t, "alice")
	k.Advance(time.Minute)
	token, body := wantToken(t, c.exchange(t, k, subjectPairs(pair.Access, "audience", "billing", "requested_token_type", accessURN)...))
	if body["issued_token_type"] != accessURN || body["expires_in"] != jsonInt(240) || len(body) != 4 {
		t.Errorf("%v", body)
	}
	was, is := issuerkit.Claims(t, pair.Access), issuerkit.Claims(t, token)
	want := map[string]any{
		"iss": issuerkit.Issuer, "sub": "1", "user_id": "1", "sid": was["sid"], "exp": was["exp"], "iat": jsonInt(k.Now().Unix()), "jti": is["jti"],
		"aud": "billing", "client_id": "front", "token_type": "access", "act": map[string]any{"sub": "front"},
	}
	if diff := cmp.Diff(want, is); diff != "" || is["jti"] == was["jti"] {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if got := k.Metric(t, `tollgate_tokens_issued_total{grant="token_exchange",kind="access"}`); got != "1" {
		t.Errorf("counted %q", got)
	}
	// An actor of its own, and the chain of those before.
	actor := mustClient(t, k, store.Client{ID: "robot"}).mustToken(t, k, "audience", "shop")
	again := c.mustExchange(t, k, subjectPairs(token, "actor_token", actor, "actor_token_type", jwtURN, "requested_token_type", jwtURN)...)
	if diff := cmp.Diff(map[string]any{"sub": "robot", "act": map[string]any{"sub": "front"}}, issuerkit.Claims(t, again)["act"]); diff != "" {
		t.Errorf("act %s", diff)
	}
}

// TestExchangeWidensNothing: scope, audience and life are parts of the subject's and
// of the client's.
func TestExchangeWidensNothing(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	c := mustClient(t, k, store.Client{Scopes: []string{"a", "b", "z"}, Audiences: []string{"x", "y"}, AccessTTL: time.Minute})
	free := mustClient(t, k, store.Client{ID: "free"})
	sid, err := k.Revocations.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	forged := func(changes map[string]any) string {
		claims := map[string]any{
			"iss": issuerkit.Issuer, "sub": "1", "sid": revocation.NewSessionID(sid), "jti": "j", "token_type": "access",
			"iat": k.Now().Unix(), "exp": k.Now().Add(5 * time.Minute).Unix(),
		}
		for name, v := range changes {
			if claims[name] = v; v == nil {
				delete(claims, name)
			}
		}
		return k.MustForge(t, claims)
	}
	soon := k.Now().Add(20 * time.Second).Unix()
	for name, row := range map[string]struct {
		client  oauthClient
		subject map[string]any
		pairs   []string
		code    string
		scope   any
		aud     any
		life    int64
	}{
		"common scopes":               {c, map[string]any{"scope": "b c a", "aud": "x"}, nil, "", "b a", "x", 60},
		"one of them":                 {c, map[string]any{"scope": "b c a", "aud": "x"}, []string{"scope", "a"}, "", "a", "x", 60},
		"the subject's alone":         {c, map[string]any{"scope": "b c a", "aud": "x"}, []string{"scope", "c"}, "invalid_scope", nil, nil, 0},
		"the client's alone":          {c, map[string]any{"scope": "b c a", "aud": "x"}, []string{"scope", "z"}, "invalid_scope", nil, nil, 0},
		"a subject without scope":     {c, map[string]any{"aud": "x"}, []string{"scope", "a"}, "invalid_scope", nil, nil, 0},
		"common audiences":            {c, map[string]any{"aud": []string{"y", "w"}}, nil, "", nil, "y", 60},
		"the subject's audience":      {c, map[string]any{"aud": []string{"y", "w"}}, []string{"audience", "w"}, "invalid_target", nil, nil, 0},
		"the client's audience":       {c, map[string]any{"aud": []string{"y", "w"}}, []string{"audience", "x"}, "invalid_target", nil, nil, 0},
		"none in common":              {c, map[string]any{"aud": "w"}, nil, "invalid_target", nil, nil, 0},
		"everybody's to the client's": {c, nil, nil, "", nil, []any{"x", "y"}, 60},
		"everybody's to one":          {c, nil, []string{"audience", "y"}, "", nil, "y", 60},
		"everybody's to anybody":      {free, nil, []string{"audience", "q"}, "", nil, "q", 300},
		"everybody's as it is":        {free, nil, nil, "", nil, nil, 300},
		"bound by the token alone":    {free, map[string]any{"aud": []string{"y", "w"}}, []string{"audience", "w"}, "", nil, "w", 300},
		"beyond the token":            {free, map[string]any{"aud": []string{"y", "w"}}, []string{"audience", "v"}, "invalid_target", nil, nil, 0},
		"life of the subject's":       {free, map[string]any{"exp": soon}, nil, "", nil, nil, 20},
		"at its end":                  {free, map[string]any{"exp": k.Now().Unix(), "iat": k.Now().Unix() - 60}, nil, "invalid_request", nil, nil, 0},
		"no session":                  {free, map[string]any{"sid": nil}, nil, "invalid_request", nil, nil, 0},
		"may_act":                     {free, map[string]any{"may_act": map[string]any{"sub": "free"}}, nil, "", nil, nil, 300},
		"may_act names another":       {free, map[string]any{"may_act": map[string]any{"sub": "x"}}, nil, "invalid_request", nil, nil, 0},
		"may_act malformed":           {free, map[string]any{"may_act": "free"}, nil, "invalid_request", nil, nil, 0},
		"act malformed":               {free, map[string]any{"act": "free"}, nil, "invalid_request", nil, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			a := row.client.exchange(t, k, subjectPairs(forged(row.subject), row.pairs...)...)
			if row.code != "" {
				wantError(t, a, 400, row.code)
				return
			}
			token, _ := wantToken(t, a)
			claims := issuerkit.Claims(t, token)
			exp, _ := claims["exp"].(json.Number).Int64()
			if exp-k.Now().Unix() != row.life || claims["scope"] != row.scope {
				t.Errorf("%v", claims)
			}
			if diff := cmp.Diff(row.aud, claims["aud"]); diff != "" {
				t.Errorf("aud %s", diff)
			}
		})
	}
	// An actor's token bounds the life, too.
	actor := forged(map[string]any{"sub": "2", "exp": soon})
	token := free.mustExchange(t, k, subjectPairs(forged(nil), "actor_token", actor, "actor_token_type", accessURN)...)
	if exp := issuerkit.Claims(t, token)["exp"]; exp != jsonInt(soon) {
		t.Errorf("exp %v, the actor's ends at %d", exp, soon)
	}
}

// TestExchangeRequest is RFC 8693 sections 2.1 and 2.2.2.
func TestExchangeRequest(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	c := mustClient(t, k, store.Client{})
	idle := mustClient(t, k, store.Client{Grants: []string{"client_credentials"}})
	pair, other := k.MustLogin(t, "alice"), k.MustLogin(t, "bob")
	if _, err := k.Revocations.Revoke(t.Context(), revocation.Order{Kind: revocation.KindJTI, Value: issuerkit.Text(t, other.Access, "jti")}); err != nil {
		t.Fatal(err)
	}
	wantError(t, sendForm(t, k, tokenPath, nil, append(subjectPairs(pair.Access), "grant_type", exchangeGrant)...), 401, "invalid_client")
	wantError(t, idle.exchange(t, k, subjectPairs(pair.Access)...), 400, "unauthorized_client")
	for name, pairs := range map[string][]string{
		"nothing":               nil,
		"no type":               {"subject_token", pair.Access},
		"SAML":                  {"subject_token", pair.Access, "subject_token_type", "urn:ietf:params:oauth:token-type:saml2"},
		"refresh token":         subjectPairs(pair.Refresh),
		"garbage":               subjectPairs("x"),
		"revoked":               subjectPairs(other.Access),
		"SAML asked for":        subjectPairs(pair.Access, "requested_token_type", "urn:ietf:params:oauth:token-type:saml2"),
		"refresh asked for":     subjectPairs(pair.Access, "requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"),
		"actor without type":    subjectPairs(pair.Access, "actor_token", pair.Access),
		"type without actor":    subjectPairs(pair.Access, "actor_token_type", accessURN),
		"revoked actor":         subjectPairs(pair.Access, "actor_token", other.Access, "actor_token_type", accessURN),
		"subject token, twice":  append(subjectPairs(pair.Access), subjectPairs(pair.Access)...),
		"refresh token, actor ": subjectPairs(pair.Access, "actor_token", pair.Refresh, "actor_token_type", accessURN),
	} {
		t.Run(name, func(t *testing.T) { wantError(t, c.exchange(t, k, pairs...), 400, "invalid_request") })
	}
	token := pair.Access
	for range 8 {
		token = c.mustExchange(t, k, subjectPairs(token)...)
	}
	wantError(t, c.exchange(t, k, subjectPairs(token)...), 400, "invalid_request") // nine actors
}

// TestExchangeEndsWithItsSubject: by the session's end, by its reuse, by a cut-off of
// the subject; a user who logs in again right after is not touched.
func TestExchangeEndsWithItsSubject(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	k.MustUser(t, users.New{Username: "carol"})
	c := mustClient(t, k, store.Client{})
	for name, end := range map[string]func(p issuerkit.Pair){
		"logout":     func(p issuerkit.Pair) { k.Post(t, "/api/logout/", nil, p.Access).Must(t, 200) },
		"logout all": func(p issuerkit.Pair) { k.Post(t, "/api/logout/", map[string]any{"all": true}, p.Access).Must(t, 200) },
		"blacklist": func(p issuerkit.Pair) {
			k.Post(t, "/api/token/blacklist/", map[string]any{"refresh": p.Refresh}).Must(t, 200)
		},
		"RFC 7009": func(p issuerkit.Pair) { sendForm(t, k, revokePath, nil, "token", p.Refresh).Must(t, 200) },
		"subject": func(issuerkit.Pair) {
			k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": "subject", "value": "3"}).Must(t, 201)
		},
	} {
		t.Run(name, func(t *testing.T) {
			pair := k.MustLogin(t, "carol")
			one := c.mustExchange(t, k, subjectPairs(pair.Access)...)
			two := c.mustExchange(t, k, subjectPairs(one)...)
			if !active(t, k, c, one) || !active(t, k, c, two) {
				t.Fatal("not active before")
			}
			end(pair)
			fresh := c.mustExchange(t, k, subjectPairs(k.MustLogin(t, "carol").Access)...)
			if active(t, k, c, one) || active(t, k, c, two) || !active(t, k, c, fresh) {
				t.Error(fmt.Sprint("after the end: ", active(t, k, c, one), active(t, k, c, two), active(t, k, c, fresh)))
			}
		})
	}
}
