package keys_test

import (
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"net/http"
	"testing"
	"time"

	"tollgate/keys"
)

// What is published can verify and nothing else: public members, sound keys, each
// under its thumbprint, for a bounded time, to readers only.
func TestMustHold17_PublishedKeys(t *testing.T) {
	t.Run("public members only", TestJWKSHasPublicMembersOnly)
	t.Run("to readers only", TestHandler)
	a, b := mustKey(t, keys.ES256), mustKey(t, keys.RS256)
	p := mustPublish(t, mustSet(t, a, b), time.Minute)
	var doc struct {
		Keys []struct{ Kid, Alg, Use string }
	}
	if err := json.Unmarshal(p.JWKS, &doc); err != nil || len(doc.Keys) != 2 {
		t.Fatalf("%s: %v", p.JWKS, err)
	}
	for i, k := range []*keys.Key{a, b} {
		again, err := keys.NewKey(k.Public(), k.Algorithm())
		if err != nil || doc.Keys[i].Kid != again.ID() || doc.Keys[i].Alg != string(k.Algorithm()) || doc.Keys[i].Use != "sig" {
			t.Errorf("%+v is not %s under its thumbprint (%v)", doc.Keys[i], k.Algorithm(), err)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, "PURGE"} {
		if w := ask(p, method); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
			t.Errorf("%s: %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
	weak := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}
	even := &rsa.PublicKey{N: rsaKey().N, E: 2}
	other := mustSigner(t, keys.ES384).Public()
	for name, bad := range map[string]any{"1024 bits": weak, "an even exponent": even, "another curve": other, "a private key": rsaKey(), "nothing": nil} {
		for _, alg := range []keys.Algorithm{keys.RS256, keys.ES256} {
			if k, err := keys.NewKey(bad, alg); err == nil {
				t.Errorf("%s makes a key for %s: %s", name, alg, k.ID())
			}
		}
	}
	point := mustJWK(t, mustSigner(t, keys.ES256).Public(), map[string]any{"y": mustJWK(t, mustSigner(t, keys.ES256).Public(), nil)["y"]})
	text, err := json.Marshal(map[string]any{"keys": []any{point}})
	if err != nil {
		t.Fatal(err)
	}
	if set, faults := keys.ParseJWKS(text, nil); set.Len() != 0 || len(faults) != 1 {
		t.Errorf("a point off %s makes a key", elliptic.P256().Params().Name)
	}
}
