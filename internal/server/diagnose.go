package server

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// The faults of a pair. crypto/tls and crypto/x509 have more to say, but some of
// their texts quote what they read, and one of the files is a private key.
var (
	errNoCertificate  = errors.New("has no certificate in it (PEM, BEGIN CERTIFICATE)")
	errBadCertificate = errors.New("has a certificate in it that cannot be read")
	errNoKey          = errors.New("has no private key in it (PEM, BEGIN PRIVATE KEY)")
	errEncryptedKey   = errors.New("has a private key in it that is encrypted")
	errBadKey         = errors.New("has a private key in it that cannot be read")
)

// diagnose says why the two do not make a pair, and which file is to blame.
func (c *Certificate) diagnose(certPEM, keyPEM []byte) error {
	if err := certificateFault(certPEM); err != nil {
		return fmt.Errorf("TLS certificate: %s %w", c.certFile, err)
	}
	if err := keyFault(keyPEM); err != nil {
		return fmt.Errorf("TLS key: %s %w", c.keyFile, err)
	}
	return fmt.Errorf("TLS certificate %s and key %s do not belong together", c.certFile, c.keyFile)
}

func certificateFault(data []byte) error {
	found := false
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil && !found {
			return errBadCertificate // the first is the server's own; a chain is as the client takes it
		}
		found = true
	}
	if !found {
		return errNoCertificate
	}
	return nil
}

func keyFault(data []byte) error {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY", block.Headers["DEK-Info"] != "":
			return errEncryptedKey
		case block.Type == "PRIVATE KEY", strings.HasSuffix(block.Type, " PRIVATE KEY"):
			return parseKey(block.Bytes)
		}
	}
	return errNoKey
}

// parseKey tries what crypto/tls does.
func parseKey(der []byte) error {
	if _, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return nil
	}
	if _, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return nil
	}
	if _, err := x509.ParseECPrivateKey(der); err == nil {
		return nil
	}
	return errBadKey
}
