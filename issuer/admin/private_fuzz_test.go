package admin

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

// FuzzNoPrivateMemberInAnAnswer: whatever is done to a ring of whatever key types,
// neither its JWKS nor what the admin API says of it has a private member, or a
// private number in any member. Each byte is one step.
func FuzzNoPrivateMemberInAnAnswer(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, uint8(0))
	f.Add([]byte{3, 3, 3, 9, 9, 0}, uint8(9))
	f.Add([]byte{6, 2, 1, 0, 5, 4}, uint8(3))
	all := keys.Algorithms()
	f.Fuzz(func(t *testing.T, steps []byte, first uint8) {
		now, secrets := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), map[string]bool{}
		s := ring.Settings{Algorithms: []keys.Algorithm{all[int(first)%len(all)], all[(int(first)+1)%len(all)]}, Prepublish: time.Minute, TokenLife: time.Hour, RotateEvery: time.Hour}
		if strings.ContainsAny(string(s.Algorithms[0][:1])+string(s.Algorithms[1][:1]), "RP") {
			steps = steps[:min(len(steps), 3)] // RSA keys take their time
		}
		r, _, err := ring.Ring{Issuer: "https://i.example"}.Advance(now, s)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range steps[:min(len(steps), 32)] {
			now = now.Add(time.Duration(b) * time.Minute)
			next, changes, err := turn(r, b, now, s)
			if err == nil {
				r = next
			}
			for _, k := range r.Keys {
				if k.Private != nil {
					note(secrets, k.Private)
				}
			}
			answer, err := json.Marshal(ringOf(r, s, now, nil, changes))
			if err != nil {
				t.Fatal(err)
			}
			set, err := r.PublicSet()
			if err != nil {
				t.Fatal(err)
			}
			doc, err := set.JWKS()
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range [][]byte{answer, doc} {
				wantPublic(t, text, secrets)
			}
		}
	})
}

// turn does one of the things that are done to a ring.
func turn(r ring.Ring, b byte, now time.Time, s ring.Settings) (ring.Ring, []ring.Change, error) {
	kid := r.Keys[int(b/5)%len(r.Keys)].ID
	switch b % 5 {
	case 0:
		return r.Rotate(now, s, true)
	case 1:
		return r.Retire(kid, now, s)
	case 2:
		return r.Revoke(kid, now, s)
	case 3:
		return ring.Merge(r, r, now, s), nil, nil
	}
	return r.Advance(now, s)
}

// note keeps what must be seen nowhere.
func note(secrets map[string]bool, priv crypto.Signer) {
	add := func(b []byte) {
		secrets[base64.RawURLEncoding.EncodeToString(b)] = true
		secrets[base64.StdEncoding.EncodeToString(b)] = true
	}
	switch k := priv.(type) {
	case *ecdsa.PrivateKey:
		if d, err := k.Bytes(); err == nil {
			add(d)
		}
	case ed25519.PrivateKey:
		add(k.Seed())
	case *rsa.PrivateKey:
		for _, n := range append([]*big.Int{k.D, k.Precomputed.Dp, k.Precomputed.Dq, k.Precomputed.Qinv}, k.Primes...) {
			if n != nil {
				add(n.Bytes())
			}
		}
	}
}

// wantPublic looks at each member of a document, however deep.
func wantPublic(t *testing.T, text []byte, secrets map[string]bool) {
	t.Helper()
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, each := range v {
				walk(each)
			}
		case map[string]any:
			for name, each := range v {
				switch name {
				case "d", "p", "q", "dp", "dq", "qi", "oth", "k":
					t.Fatalf("the member %q is shown", name)
				}
				walk(each)
			}
		case string:
			if secrets[v] {
				t.Fatal("a private number is shown")
			}
		}
	}
	walk(doc)
}
