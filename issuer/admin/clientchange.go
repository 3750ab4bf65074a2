package admin

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"tollgate/internal/problem"
	"tollgate/issuer/store"
	"tollgate/keys"
)

// changeOf reads what a body says about a client.
func (a *Admin) changeOf(b *clientBody) (store.Change, error) {
	ch := store.Change{Name: b.Name, Grants: b.Grants, Scopes: b.Scopes, Audiences: b.Audiences, Disabled: b.Disabled, NoIntrospection: b.NoIntrospection}
	if b.Grants != nil {
		grants := slices.Clone(*b.Grants)
		for n, grant := range grants {
			if strings.ReplaceAll(grant, "_", "-") == "token-exchange" { // nobody types the URN
				grants[n] = store.GrantTokenExchange
			}
		}
		ch.Grants = &grants
	}
	if b.AccessTTL != nil {
		ttl, err := time.ParseDuration(*b.AccessTTL)
		if err != nil {
			return ch, badBody("The member access_ttl is a duration such as 1m.")
		}
		ch.AccessTTL = &ttl
	}
	if b.Algorithm != nil {
		alg := keys.Algorithm(*b.Algorithm)
		if alg != "" && a.Keys != nil && !slices.Contains(a.Keys.Settings().Algorithms, alg) {
			return ch, &problem.Details{Status: http.StatusUnprocessableEntity, Code: "invalid",
				Detail: "The member access_token_signing_alg is none of TOLLGATE_SIGNING_ALG: nothing is signed with it."}
		}
		ch.Algorithm = &alg
	}
	if len(b.JWKS) > 0 && string(b.JWKS) != "null" {
		ch.JWKS = b.JWKS
	}
	return ch, nil
}
