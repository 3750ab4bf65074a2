package admin_test

import (
	"strings"
	"testing"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/keys"
)

// TestFullSet: there is no rotation, not even at once, into a set that verifiers do
// not read to its end; a key can be killed.
func TestFullSet(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	for n := 2; n < keys.MaxKeys; n++ {
		if _, _, err := k.Ring.Rotate(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	}
	a := k.Control(t, "POST", keysPath+"/rotate", map[string]any{"now": true})
	wantProblem(t, a, 409, "key_set_full")
	if !strings.Contains(a.Body, "100 keys are published") {
		t.Errorf("%s", a.Body)
	}
	wantProblem(t, k.Control(t, "POST", keysPath+"/rotate", nil), 409, "not_yet_published")
	wantDone(t, k.Control(t, "POST", keysPath+"/"+inState(t, k, "active")+"/revoke", nil), 200)
}
