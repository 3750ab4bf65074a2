package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"

	"tollgate/keys/ring"
)

// externalSigner returns the signer of TOLLGATE_KEY_SIGNER_URL, nil when there is
// none: the keys are then made and kept by this program.
func (c *Config) externalSigner() (ring.Signer, error) {
	k := c.Keys
	if k.SignerURL.Value == nil {
		return nil, nil //nolint:nilnil // no signer is the usual case
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 16, ForceAttemptHTTP2: true}
	var err error
	if transport.TLSClientConfig, err = k.signerTLS(); err != nil {
		return nil, err
	}
	s, err := ring.NewHTTPSigner(ring.HTTPSignerConfig{
		URL: k.SignerURL.Value, Token: k.SignerToken.Reveal(), Timeout: k.SignerTimeout.Value, Client: &http.Client{Transport: transport},
	})
	if err != nil {
		return nil, fmt.Errorf("TOLLGATE_KEY_SIGNER_URL: %w", err)
	}
	return s, nil
}

func (k *KeySettings) signerTLS() (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS12}
	if file := k.SignerCAFile.Value; file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("TOLLGATE_KEY_SIGNER_CA_FILE: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(text) {
			return nil, errors.New("TOLLGATE_KEY_SIGNER_CA_FILE has no certificate in it")
		}
	}
	switch certFile, keyFile := k.SignerCertFile.Value, k.SignerKeyFile.Value; {
	case certFile == "" && keyFile == "":
	case certFile == "" || keyFile == "":
		return nil, errors.New("TOLLGATE_KEY_SIGNER_CERT_FILE and TOLLGATE_KEY_SIGNER_KEY_FILE are set together or not at all")
	default:
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return nil, fmt.Errorf("TOLLGATE_KEY_SIGNER_CERT_FILE and TOLLGATE_KEY_SIGNER_KEY_FILE: %w", err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}
