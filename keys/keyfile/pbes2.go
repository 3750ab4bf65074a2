package keyfile

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // to read what OpenSSL 1.0 wrote; nothing is written with it
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // the default of PBKDF2 (RFC 8018 appendix A.2), as an HMAC
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"

	"golang.org/x/crypto/scrypt"
)

// encrypted is EncryptedPrivateKeyInfo of RFC 5208 section 6.
type encrypted struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

// pbes2 is PBES2-params of RFC 8018 appendix A.4.
type pbes2 struct {
	KDF    pkix.AlgorithmIdentifier
	Cipher pkix.AlgorithmIdentifier
}

// pbkdf2Params is PBKDF2-params of RFC 8018 appendix A.2, with a salt that is
// there.
type pbkdf2Params struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

// scryptParams is that of RFC 7914 section 7.
type scryptParams struct {
	Salt      []byte
	N, R, P   int
	KeyLength int `asn1:"optional"`
}

// Bounds on what a file may make this process do: OpenSSL takes 2048 iterations,
// careful people a million.
const (
	maxIterations = 10_000_000
	maxScrypt     = 1 << 28 // bytes of memory, N·r·128; OpenSSL takes 16 MiB
)

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
)

// decrypt opens an encrypted PKCS #8 block of PBES2. The older PBES1 schemes,
// made of DES and RC2 with MD5, are refused by name.
func decrypt(der, passphrase []byte) ([]byte, error) {
	var e encrypted
	if rest, err := asn1.Unmarshal(der, &e); err != nil || len(rest) > 0 {
		return nil, errors.New("the encrypted key is not PKCS #8")
	}
	if !e.Algorithm.Algorithm.Equal(oidPBES2) {
		return nil, fmt.Errorf("the key is encrypted with %s, not with PBES2: convert it with openssl pkcs8 -topk8", e.Algorithm.Algorithm)
	}
	var p pbes2
	if rest, err := asn1.Unmarshal(e.Algorithm.Parameters.FullBytes, &p); err != nil || len(rest) > 0 {
		return nil, errors.New("the encrypted key's parameters are not those of PBES2")
	}
	if len(passphrase) == 0 {
		return nil, ErrPassphrase
	}
	size, makeCipher, err := cipherOf(p.Cipher.Algorithm)
	if err != nil {
		return nil, err
	}
	key, err := derive(p.KDF, passphrase, size)
	if err != nil {
		return nil, err
	}
	block, err := makeCipher(key)
	if err != nil {
		return nil, fmt.Errorf("the encrypted key: %w", err)
	}
	var iv []byte
	if rest, err := asn1.Unmarshal(p.Cipher.Parameters.FullBytes, &iv); err != nil || len(rest) > 0 || len(iv) != block.BlockSize() {
		return nil, errors.New("the encrypted key has no initialisation vector")
	}
	if len(e.Data) == 0 || len(e.Data)%block.BlockSize() != 0 {
		return nil, errors.New("the encrypted key is cut off")
	}
	plain := make([]byte, len(e.Data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, e.Data)
	return unpad(plain, block.BlockSize())
}

// unpad takes off the padding of RFC 8018 section 6.1.1. A wrong passphrase is
// seen here, or else where the key is parsed.
func unpad(plain []byte, size int) ([]byte, error) {
	n := int(plain[len(plain)-1])
	if n == 0 || n > size {
		return nil, ErrPassphrase
	}
	for _, b := range plain[len(plain)-n:] {
		if int(b) != n {
			return nil, ErrPassphrase
		}
	}
	return plain[:len(plain)-n], nil
}

// cipherOf returns the key length in bytes and the block cipher, always in CBC.
func cipherOf(oid asn1.ObjectIdentifier) (int, func([]byte) (cipher.Block, error), error) {
	switch oid.String() {
	case "2.16.840.1.101.3.4.1.2":
		return 16, aes.NewCipher, nil
	case "2.16.840.1.101.3.4.1.22":
		return 24, aes.NewCipher, nil
	case "2.16.840.1.101.3.4.1.42":
		return 32, aes.NewCipher, nil
	case "1.2.840.113549.3.7":
		return 24, des.NewTripleDESCipher, nil
	}
	return 0, nil, fmt.Errorf("the key is encrypted with the cipher %s, which is neither AES nor 3DES in CBC", oid)
}

// derive makes the cipher's key of the passphrase.
func derive(kdf pkix.AlgorithmIdentifier, passphrase []byte, size int) ([]byte, error) {
	malformed := errors.New("the encrypted key's parameters are not those of its key derivation")
	var length int
	var run func() ([]byte, error)
	switch {
	case kdf.Algorithm.Equal(oidPBKDF2):
		var p pbkdf2Params
		if rest, err := asn1.Unmarshal(kdf.Parameters.FullBytes, &p); err != nil || len(rest) > 0 || p.Iterations < 1 {
			return nil, malformed
		}
		if p.Iterations > maxIterations {
			return nil, fmt.Errorf("the encrypted key asks for %d iterations, more than %d", p.Iterations, maxIterations)
		}
		prf, err := prfOf(p.PRF.Algorithm)
		if err != nil {
			return nil, err
		}
		length = p.KeyLength
		run = func() ([]byte, error) { return pbkdf2.Key(prf, string(passphrase), p.Salt, p.Iterations, size) }
	case kdf.Algorithm.Equal(oidScrypt):
		var p scryptParams
		if rest, err := asn1.Unmarshal(kdf.Parameters.FullBytes, &p); err != nil || len(rest) > 0 || p.N < 2 || p.R < 1 || p.P < 1 {
			return nil, malformed
		}
		if p.R > 64 || p.P > 64 || p.N > maxScrypt/128/p.R {
			return nil, errors.New("the encrypted key asks for more memory than a key is worth")
		}
		length = p.KeyLength
		run = func() ([]byte, error) { return scrypt.Key(passphrase, p.Salt, p.N, p.R, p.P, size) }
	default:
		return nil, fmt.Errorf("the key is encrypted with the key derivation %s, which is neither PBKDF2 nor scrypt", kdf.Algorithm)
	}
	if length != 0 && length != size {
		return nil, malformed
	}
	key, err := run()
	if err != nil {
		return nil, fmt.Errorf("the encrypted key: %w", err)
	}
	return key, nil
}

// prfOf is the hash of PBKDF2's HMAC; SHA-1 when none is named (RFC 8018).
func prfOf(oid asn1.ObjectIdentifier) (func() hash.Hash, error) {
	switch oid.String() {
	case "", "1.2.840.113549.2.7":
		return sha1.New, nil
	case "1.2.840.113549.2.9":
		return sha256.New, nil
	case "1.2.840.113549.2.10":
		return sha512.New384, nil
	case "1.2.840.113549.2.11":
		return sha512.New, nil
	}
	return nil, fmt.Errorf("the key is encrypted with PBKDF2 and the function %s, which is none of HMAC with SHA-1 or SHA-2", oid)
}
