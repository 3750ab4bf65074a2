package issuer_test

import (
	"testing"

	"tollgate/internal/problem"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// TestStatusFollowsTheActor: a token with which somebody acts as another ends with the
// log-in of either, and its bit says so.
func TestStatusFollowsTheActor(t *testing.T) {
	k := opened(t, issuerkit.Options{Status: true, Issuer: func(c *issuer.Config) {
		c.Compat = []problem.Profile{problem.SimpleJWT, problem.DRF}
	}})
	k.MustUser(t, users.New{Username: "root", IsSuperuser: true})
	client := mustClient(t, k, store.Client{})
	for name, end := range map[string]func(actor string) revocation.Order{
		"the actor's session": func(actor string) revocation.Order {
			return revocation.Order{Kind: revocation.KindSession, Value: issuerkit.Text(t, actor, "sid")}
		},
		"the actor's sessions": func(string) revocation.Order {
			return revocation.Order{Kind: revocation.KindSubject, Value: "3"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			tokens := map[string]bool{} // whether its actor's end ends it
			root, alice := k.MustLogin(t, "root").Access, k.MustLogin(t, "alice").Access
			tokens[shapes()[0].begin(t, k, root, "1")] = true
			tokens[shapes()[1].begin(t, k, root, "1")] = true
			tokens[alice] = false
			o := end(root)
			// An exchanged token names its actor, but not the actor's log-in.
			tokens[client.mustExchange(t, k, subjectPairs(alice, "actor_token", root, "actor_token_type", "urn:ietf:params:oauth:token-type:access_token")...)] = o.Kind == revocation.KindSubject
			tokens[client.mustExchange(t, k, subjectPairs(alice)...)] = false
			k.MustCatchUp(t, k.Status)
			for raw := range tokens {
				if bit(t, k, raw) != 0 {
					t.Error("invalid from the beginning")
				}
			}
			made, err := k.Revocations.Revoke(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			later := shapes()[0].begin(t, k, k.MustLogin(t, "root").Access, "1")
			tokens[later] = false
			k.MustCatchUp(t, k.Status)
			for raw, want := range tokens {
				if got := bit(t, k, raw) == 1; got != want || got != (k.Verify(t, raw) != 200) {
					t.Errorf("revoked: %t, want %t; verify says %d: %v", got, want, k.Verify(t, raw), issuerkit.Claims(t, raw))
				}
			}
			if _, err := k.Revocations.Undo(t.Context(), made.ID); err != nil {
				t.Fatal(err)
			}
			k.MustCatchUp(t, k.Status)
			for raw := range tokens {
				if bit(t, k, raw) != 0 {
					t.Error("undone, and still invalid")
				}
			}
		})
	}
}

// withoutJTI is a kit whose tokens by drf-jwt's endpoints have no jti.
func withoutJTI(t *testing.T, status bool) *issuerkit.Kit {
	t.Helper()
	k := opened(t, issuerkit.Options{Status: status, Issuer: func(c *issuer.Config) {
		c.Compat = []problem.Profile{problem.DRF, problem.SimpleJWT}
		c.DRF.TokenID = issuer.TokenIDOff
	}})
	for _, v := range []*token.Verifier{k.Verifier, k.Inspector} {
		if err := v.Trust([]token.Issuer{{Name: issuerkit.Issuer, Own: true, Legacy: token.Legacy{NoJTI: true}, Keys: k.Ring}}); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// TestRevokeWithoutJTI: a token without jti is revoked by what was signed, by every
// door that revokes one token; its bit says so.
func TestRevokeWithoutJTI(t *testing.T) {
	for name, revoke := range map[string]func(t *testing.T, k *issuerkit.Kit, raw string){
		"RFC 7009": func(t *testing.T, k *issuerkit.Kit, raw string) {
			sendForm(t, k, revokePath, nil, "token", raw).Must(t, 200)
		},
		"admin": func(t *testing.T, k *issuerkit.Kit, raw string) {
			k.Control(t, "POST", "/admin/v1/revocations", map[string]any{"kind": "token", "value": raw}).Must(t, 201)
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := withoutJTI(t, true)
			raw, other := drfLogin(t, k, "alice"), drfLogin(t, k, "alice")
			if _, has := issuerkit.Claims(t, raw)["jti"]; has {
				t.Fatal("the token has a jti")
			}
			drfAlive(t, k, true, raw, other)
			revoke(t, k, raw)
			drfAlive(t, k, false, raw)
			drfAlive(t, k, true, other)
			k.MustCatchUp(t, k.Status)
			if bit(t, k, raw) != 1 || bit(t, k, other) != 0 {
				t.Errorf("bits %d and %d", bit(t, k, raw), bit(t, k, other))
			}
		})
	}
}

// TestEndWithoutSessionAndJTI: a token of ours that has neither, as one of another
// system with our key may be, is ended by what was signed.
func TestEndWithoutSessionAndJTI(t *testing.T) {
	k := withoutJTI(t, false)
	raw := drfForge(t, k, map[string]any{"jti": nil, "sid": nil})
	drfAlive(t, k, true, raw)
	k.Post(t, drfLogout, nil, raw).Must(t, 201)
	drfAlive(t, k, false, raw)
}
