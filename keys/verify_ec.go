package keys

import (
	"crypto/ecdsa"
)

// ecdsaOf checks ECDSA in the form of RFC 7518 section 3.4: R and S as octets of the
// field's size each, one behind the other.
func ecdsaOf(pub *ecdsa.PublicKey, alg Algorithm) func(input, signature []byte) error {
	hash, half := alg.hash(), (pub.Curve.Params().BitSize+7)/8
	return func(input, signature []byte) error {
		if len(signature) != 2*half {
			return ErrSignature
		}
		h := hash.New()
		h.Write(input)
		// crypto/ecdsa takes ASN.1 alone without detours; zero and what is not below
		// the order it refuses.
		der := make([]byte, 0, 2*half+12)
		if !ecdsa.VerifyASN1(pub, h.Sum(nil), appendDER(der, signature[:half], signature[half:])) {
			return ErrSignature
		}
		return nil
	}
}

// appendDER appends SEQUENCE { r INTEGER, s INTEGER }.
func appendDER(der, r, s []byte) []byte {
	r, s = minimal(r), minimal(s)
	length := 4 + len(r) + sign(r) + len(s) + sign(s)
	der = append(der, 0x30)
	if length >= 0x80 { // of P-521 alone: below 256 for all
		der = append(der, 0x81)
	}
	der = append(der, byte(length))
	for _, n := range [2][]byte{r, s} {
		der = append(der, 0x02, byte(len(n)+sign(n)))
		if sign(n) > 0 {
			der = append(der, 0)
		}
		der = append(der, n...)
	}
	return der
}

// minimal drops leading zeros, but for the one that is zero itself.
func minimal(n []byte) []byte {
	for len(n) > 1 && n[0] == 0 {
		n = n[1:]
	}
	return n
}

// sign is how many octets in front keep a number from being negative.
func sign(n []byte) int { return int(n[0] >> 7) }
