package ring

import (
	"context"
	"crypto"
	"errors"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"tollgate/keys"
)

// Signer makes keys and signs with them. InProcess keeps the private halves in
// the ring; HTTPSigner leaves them where they are and knows a reference.
type Signer interface {
	// Generate makes a key for an algorithm.
	Generate(ctx context.Context, alg keys.Algorithm) (Pair, error)
	// Sign returns the signature of RFC 7515 section 5.1 over a signing input: r
	// and s next to each other for ECDSA.
	Sign(ctx context.Context, k Key, input []byte) ([]byte, error)
}

// Pair is a new key: its public half, and either the private one or what an
// external signer calls it.
type Pair struct {
	Public    crypto.PublicKey
	Private   crypto.Signer // nil for an external key
	Reference string        // "" for a key of this process
}

// InProcess is the Signer whose private halves are in the ring.
type InProcess struct{}

var _ Signer = InProcess{}

// Generate makes a pair as the function Generate does.
func (InProcess) Generate(_ context.Context, alg keys.Algorithm) (Pair, error) {
	return generatePair(alg)
}

// Sign signs with the private half of k.
func (InProcess) Sign(_ context.Context, k Key, input []byte) ([]byte, error) {
	if k.Private == nil {
		return nil, errors.New("the key has no private half here")
	}
	s, err := jws.NewSigner(jwa.SignatureAlgorithm(k.Algorithm))
	if err != nil {
		return nil, fmt.Errorf("signer for %s: %w", k.Algorithm, err)
	}
	return s.Sign(input, k.Private)
}

func generatePair(alg keys.Algorithm) (Pair, error) {
	priv, err := Generate(alg)
	if err != nil {
		return Pair{}, err
	}
	return Pair{Public: priv.Public(), Private: priv}, nil
}

// noSigner stands for the external signer that an instance does not have.
type noSigner struct{}

func (noSigner) Generate(context.Context, keys.Algorithm) (Pair, error) {
	return Pair{}, errNoSigner
}

func (noSigner) Sign(context.Context, Key, []byte) ([]byte, error) { return nil, errNoSigner }

var errNoSigner = errors.New("the key is kept by an external signer, and none is configured here")
