package issuer_test

import (
	"errors"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/store"
	"tollgate/keys"
)

// algOf is the alg in the header of a token whose kid is that of a published key of the
// same algorithm, by which it is accepted.
func algOf(t *testing.T, k *issuerkit.Kit, c oauthClient, raw string) string {
	t.Helper()
	header := issuerkit.Header(t, raw)
	kid, _ := header["kid"].(string)
	alg, _ := header["alg"].(string)
	if key, ok := k.Ring.Set().Key(kid); !ok || string(key.Algorithm()) != alg {
		t.Errorf("key %q of %s is not published", kid, alg)
	}
	if !active(t, k, c, raw) {
		t.Errorf("a token signed with %s is not accepted", alg)
	}
	return alg
}

// TestClientsAlgorithm: a client has its tokens, and those that it exchanges, signed with
// the algorithm that its verifiers know; nobody else's change.
func TestClientsAlgorithm(t *testing.T) {
	k := opened(t, issuerkit.Options{Algorithms: []keys.Algorithm{keys.ES256, keys.EdDSA}, Status: true})
	plain, special := mustClient(t, k, store.Client{ID: "plain"}), mustClient(t, k, store.Client{ID: "special", Algorithm: keys.EdDSA})
	user := k.MustLogin(t, "alice")
	exchanged := special.mustExchange(t, k, subjectPairs(user.Access)...)
	for name, row := range map[string]struct{ token, alg string }{
		"everybody's":     {plain.mustToken(t, k), "ES256"},
		"its own":         {special.mustToken(t, k), "EdDSA"},
		"exchanged":       {exchanged, "EdDSA"},
		"exchanged twice": {plain.mustExchange(t, k, subjectPairs(exchanged)...), "ES256"},
		"a log-in":        {user.Access, "ES256"},
	} {
		if alg := algOf(t, k, plain, row.token); alg != row.alg {
			t.Errorf("%s: signed with %s, want %s", name, alg, row.alg)
		}
	}
	none := keys.Algorithm("")
	if _, err := k.Clients.Change(t.Context(), special.id, store.Change{Algorithm: &none}); err != nil {
		t.Fatal(err)
	}
	if alg := algOf(t, k, plain, special.mustToken(t, k)); alg != "ES256" {
		t.Errorf("after the change: %s", alg)
	}
}

// TestClientsAlgorithmIsGone: a client whose algorithm signs nothing any more is refused;
// it is never given tokens that its verifiers would not take.
func TestClientsAlgorithmIsGone(t *testing.T) {
	var i *issuer.Issuer
	k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) {
		var err error
		if i, err = issuer.New(*c); err != nil {
			t.Fatal(err)
		}
	}})
	c := mustClient(t, k, store.Client{ID: "special", Algorithm: keys.RS256})
	wantError(t, sendForm(t, k, tokenPath, c.basic(), "grant_type", "client_credentials"), 400, "unauthorized_client")
	wantError(t, c.exchange(t, k, subjectPairs(k.MustLogin(t, "alice").Access)...), 400, "unauthorized_client")
	if _, err := i.Issue(t.Context(), issuer.Order{Client: "special"}); !errors.Is(err, issuer.ErrOrder) {
		t.Errorf("by an operator: %v", err)
	}
	old := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) { c.SignWith = nil }})
	c = mustClient(t, old, store.Client{ID: "special", Algorithm: keys.ES256})
	wantError(t, sendForm(t, old, tokenPath, c.basic(), "grant_type", "client_credentials"), 400, "unauthorized_client")
	old.Mini.Close()
	wantError(t, sendForm(t, old, tokenPath, c.basic(), "grant_type", "client_credentials"), 503, "temporarily_unavailable")
}
