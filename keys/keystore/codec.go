package keystore

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tollgate/keys"
	"tollgate/keys/ring"
)

// record is one key as it is written: the private half as PKCS #8, the public
// one as SubjectPublicKeyInfo, both DER (base64 in JSON).
type record struct {
	ID             string        `json:"id"`
	Algorithm      string        `json:"alg"`
	State          string        `json:"state"`
	Created        time.Time     `json:"created"`
	Activated      time.Time     `json:"activated,omitzero"`
	Retired        time.Time     `json:"retired,omitzero"`
	Revoked        time.Time     `json:"revoked,omitzero"`
	PublishedUntil time.Time     `json:"published_until,omitzero"`
	TokenLife      time.Duration `json:"token_life,omitempty"` // nanoseconds
	Private        []byte        `json:"private,omitempty"`
	Public         []byte        `json:"public"`
	Reference      string        `json:"reference,omitempty"` // of an external key, which has no private half here
}

func encodeKeys(ks []ring.Key) ([]byte, error) {
	out := make([]record, 0, len(ks))
	for _, k := range ks {
		r := record{
			ID: k.ID, Algorithm: string(k.Algorithm), State: string(k.State), Created: k.Created, Activated: k.Activated,
			Retired: k.Retired, Revoked: k.Revoked, PublishedUntil: k.PublishedUntil,
			TokenLife: k.TokenLife, Reference: k.Reference,
		}
		var err error
		if r.Public, err = x509.MarshalPKIXPublicKey(k.Public); err != nil {
			return nil, fmt.Errorf("key %q: %w", k.ID, err)
		}
		if k.Private != nil {
			if r.Private, err = x509.MarshalPKCS8PrivateKey(k.Private); err != nil {
				return nil, fmt.Errorf("key %q: %w", k.ID, err)
			}
		}
		out = append(out, r)
	}
	return json.Marshal(out)
}

// decodeKeys never puts what it could not read into an error: it may be a
// private key.
func decodeKeys(data []byte) ([]ring.Key, error) {
	var in []record
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, errors.New("the keys are not the JSON that was written")
	}
	out := make([]ring.Key, 0, len(in))
	for _, r := range in {
		k := ring.Key{
			ID: r.ID, Algorithm: keys.Algorithm(r.Algorithm), State: ring.State(r.State), Created: r.Created, Activated: r.Activated,
			Retired: r.Retired, Revoked: r.Revoked, PublishedUntil: r.PublishedUntil,
			TokenLife: r.TokenLife, Reference: r.Reference,
		}
		var err error
		if k.Public, err = x509.ParsePKIXPublicKey(r.Public); err != nil {
			return nil, fmt.Errorf("key %q: its public half is not readable", r.ID)
		}
		if len(r.Private) > 0 {
			priv, err := x509.ParsePKCS8PrivateKey(r.Private)
			if err != nil {
				return nil, fmt.Errorf("key %q: its private half is not readable", r.ID)
			}
			signer, ok := priv.(crypto.Signer)
			if !ok {
				return nil, fmt.Errorf("key %q: its private half cannot sign", r.ID)
			}
			k.Private = signer
		}
		out = append(out, k)
	}
	return out, nil
}
