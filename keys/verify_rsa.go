package keys

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"fmt"

	"filippo.io/bigmod"
)

// digestInfo is the DER of a DigestInfo up to the digest itself, RFC 8017 section 9.2
// note 1: with NULL as the parameters, and in no other form.
var digestInfo = map[crypto.Hash][]byte{
	crypto.SHA256: {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20},
	crypto.SHA384: {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30},
	crypto.SHA512: {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40},
}

// pkcs1 checks RSASSA-PKCS1-v1_5, RFC 8017 section 8.2.2, as crypto/rsa does, whose
// big numbers it uses: what they need to know of the modulus is worked out once for a
// key and not once for a signature, which is a third of the time. The expected
// encoding is built whole and compared whole; nothing of the signature is parsed.
func pkcs1(pub *rsa.PublicKey, alg Algorithm) (func(input, signature []byte) error, error) {
	modulus, err := bigmod.NewModulus(pub.N.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%w: an RSA modulus: %w", ErrWeakKey, err)
	}
	hash, size := alg.hash(), modulus.Size()
	info := digestInfo[hash]
	// 00 01 FF … FF 00, then the DigestInfo, whose digest is filled in each time.
	frame := bytes.Repeat([]byte{0xff}, size)
	frame[0], frame[1] = 0, 1
	at := size - hash.Size()
	frame[at-len(info)-1] = 0
	copy(frame[at-len(info):], info)
	exponent := uint(pub.E) // ownRSA has seen to its range
	return func(input, signature []byte) error {
		if len(signature) != size {
			return ErrSignature
		}
		s, err := bigmod.NewNat().SetBytes(signature, modulus) // an error: not below the modulus
		if err != nil {
			return ErrSignature
		}
		h := hash.New()
		h.Write(input)
		got := bigmod.NewNat().ExpShortVarTime(s, exponent, modulus).Bytes(modulus)
		if !bytes.Equal(got[:at], frame[:at]) || !bytes.Equal(got[at:], h.Sum(nil)) {
			return ErrSignature
		}
		return nil
	}, nil
}
