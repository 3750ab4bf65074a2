package token_test

import (
	"strings"
	"testing"

	"tollgate/keys/token"
)

// One function stands behind the proxy, forward-auth, verify, introspection, refresh
// and explain, and gives an identity to the token itself alone: not to any text that
// is one character away from it, a part of it, or more than it. It never panics (golang-jwt
// CVE-2024-51744, ZITADEL CVE-2026-27840, jwx CVE-2024-21664).
func TestMustHold07_OneFunctionGivesIdentities(t *testing.T) {
	w := mustWorld(t)
	good := w.good()
	w.mustAccept(t, good, &token.Policy{})
	refuse := func(raw string) {
		id, err := w.verifier.Authenticate(t.Context(), raw, &token.Policy{}, allClear)
		if err == nil || id != nil {
			t.Errorf("%q is accepted as %v (%v)", raw, id, err)
		}
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range len(good) {
		refuse(good[:i])
		refuse(good[:i] + good[i+1:])
		refuse(good[:i+1] + good[i:])
		refuse(good[:i] + string(alphabet[(strings.IndexByte(alphabet, good[i])+1)%len(alphabet)]) + good[i+1:])
	}
	for _, more := range []string{".", "=", " ", "\n", "\x00", ".x", "A", "," + good, good, "#", "?", "%", ";"} {
		refuse(good + more)
		refuse(more + good)
	}
	refuse(strings.ToUpper(good))
	refuse(strings.ToLower(good))
}
