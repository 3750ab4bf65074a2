package keyfile

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"tollgate/keys"
)

// What a command branches on.
var (
	// ErrPassphrase says that a file is encrypted and there is no passphrase, or
	// not the right one.
	ErrPassphrase = errors.New("the key is encrypted, and this is not its passphrase")
	// ErrNoKey says that a file holds nothing of the kind that was asked for.
	ErrNoKey = errors.New("there is no such key in the file")
)

// MaxBytes is the longest file that is read: an RSA key of 8192 bits takes 7 KiB.
const MaxBytes = 64 << 10

// Private is a private key as a file has it.
type Private struct {
	Signer crypto.Signer
	// ID is the "kid" of a JWK; "" where the file names none.
	ID string
	// Algorithm is what the file says or the key's type implies: RS256 for RSA.
	Algorithm keys.Algorithm
}

// ReadPrivate reads the one private key of a file: a JWK, or PEM with PKCS #1
// ("RSA PRIVATE KEY"), SEC 1 ("EC PRIVATE KEY"), PKCS #8 ("PRIVATE KEY") or PKCS
// #8 encrypted with PBES2 ("ENCRYPTED PRIVATE KEY", RFC 8018 section 6.2). The
// passphrase is for the last one alone.
//
// An empty alg is the one of the file, or the one that the key's type implies. A
// key that does not fit it, is weak, or whose halves do not belong together is
// refused, and so is a file with two private keys: nobody could say which is meant.
func ReadPrivate(data, passphrase []byte, alg keys.Algorithm) (Private, error) {
	if len(data) > MaxBytes {
		return Private{}, fmt.Errorf("the file is longer than %d bytes", MaxBytes)
	}
	var p Private
	var err error
	if text := bytes.TrimSpace(data); len(text) > 0 && text[0] == '{' {
		p, err = privateJWK(text)
	} else {
		p.Signer, err = privatePEM(data, passphrase)
	}
	if err != nil {
		return Private{}, err
	}
	if alg != "" {
		p.Algorithm = alg
	}
	if p.Algorithm == "" {
		if p.Algorithm, err = implied(p.Signer.Public()); err != nil {
			return Private{}, err
		}
	}
	return p, p.check()
}

// privatePEM returns the key of the first block that holds one.
func privatePEM(data, passphrase []byte) (crypto.Signer, error) {
	var found crypto.Signer
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		k, err := fromBlock(block, passphrase)
		if err != nil {
			return nil, err
		}
		if k != nil && found != nil {
			return nil, errors.New("the file has more than one private key")
		}
		if k != nil {
			found = k
		}
	}
	if found == nil {
		return nil, fmt.Errorf("%w: neither PEM with a private key nor a JWK", ErrNoKey)
	}
	return found, nil
}

// fromBlock reads one block; nil without an error is one of another kind, such as
// the parameters that OpenSSL writes before an EC key.
func fromBlock(b *pem.Block, passphrase []byte) (crypto.Signer, error) {
	if b.Headers["DEK-Info"] != "" {
		// A key from one round of MD5; crypto/x509 calls its own support insecure.
		return nil, errors.New("the key is encrypted in OpenSSL's old way: convert it with openssl pkcs8 -topk8")
	}
	var k any
	var err error
	switch b.Type {
	case "RSA PRIVATE KEY":
		k, err = x509.ParsePKCS1PrivateKey(b.Bytes)
	case "EC PRIVATE KEY":
		k, err = x509.ParseECPrivateKey(b.Bytes)
	case "PRIVATE KEY":
		k, err = x509.ParsePKCS8PrivateKey(b.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		plain, openErr := decrypt(b.Bytes, passphrase)
		if openErr != nil {
			return nil, openErr
		}
		if k, err = x509.ParsePKCS8PrivateKey(plain); err != nil {
			return nil, ErrPassphrase // the padding was right by chance
		}
	default:
		return nil, nil //nolint:nilnil // said above
	}
	if err != nil {
		return nil, fmt.Errorf("the block %q cannot be read", b.Type)
	}
	signer, ok := k.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("the block %q holds a key that cannot sign", b.Type)
	}
	return signer, nil
}

// implied is the algorithm of a key that names none.
func implied(pub crypto.PublicKey) (keys.Algorithm, error) {
	if _, ok := pub.(*rsa.PublicKey); ok {
		return keys.RS256, nil
	}
	for _, alg := range []keys.Algorithm{keys.ES256, keys.ES384, keys.ES512, keys.EdDSA} {
		if _, err := keys.NewKey(pub, alg); err == nil {
			return alg, nil
		}
	}
	return "", fmt.Errorf("%w: no algorithm goes with a %T", keys.ErrKeyMismatch, pub)
}

// check holds that the key fits its algorithm and that its halves belong together.
func (p Private) check() error {
	if _, err := keys.NewKey(p.Signer.Public(), p.Algorithm); err != nil {
		return err
	}
	if k, ok := p.Signer.(*rsa.PrivateKey); ok {
		if err := k.Validate(); err != nil {
			return fmt.Errorf("%w: the members of the RSA key do not belong together", keys.ErrWeakKey)
		}
	}
	return nil
}

// ReadPublic reads the one public key of a file: PEM ("PUBLIC KEY") or a JWK. The
// algorithm is found as in ReadPrivate. A JWK with a private member is refused.
func ReadPublic(data []byte, alg keys.Algorithm) (crypto.PublicKey, keys.Algorithm, error) {
	if text := bytes.TrimSpace(data); len(text) > 0 && text[0] == '{' {
		if !bytes.Contains(text, []byte(`"keys"`)) {
			text = append(append([]byte(`{"keys":[`), text...), "]}"...)
		}
		var allowed []keys.Algorithm
		if alg != "" {
			allowed = []keys.Algorithm{alg}
		}
		set, faults := keys.ParseJWKS(text, allowed)
		if len(faults) > 0 || set.Len() != 1 {
			return nil, "", fmt.Errorf("%w: it has %d usable keys: %w", ErrNoKey, set.Len(), errors.Join(faults...))
		}
		k := set.Keys()[0]
		return k.Public(), k.Algorithm(), nil
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, "", fmt.Errorf("%w: neither PEM with a public key nor a JWK", ErrNoKey)
	}
	pub, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, "", errors.New("the public key cannot be read")
	}
	if alg == "" {
		if alg, err = implied(pub); err != nil {
			return nil, "", err
		}
	}
	_, err = keys.NewKey(pub, alg)
	return pub, alg, err
}
