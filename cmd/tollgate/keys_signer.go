package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"

	"tollgate/keys/ring"
)

// externalSigner returns the signer of TOLLGATE_KEY_SIGNER_URL, nil when there is
// none: the keys are then made and kept by this program.
func (c *Config) externalSigner() (ring.Signer, *configFault) {
	k := c.Keys
	if k.SignerURL.Value == nil {
		return nil, nil
	}
	encryption, fault := k.signerTLS()
	if fault != nil {
		return nil, fault
	}
	s, err := ring.NewHTTPSigner(ring.HTTPSignerConfig{
		URL: k.SignerURL.Value, Token: k.SignerToken.Reveal(), Timeout: k.SignerTimeout.Value,
		Client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, ForceAttemptHTTP2: true, TLSClientConfig: encryption}},
	})
	if err != nil {
		return nil, &configFault{"TOLLGATE_KEY_SIGNER_URL", "cannot be used: " + err.Error()}
	}
	return s, nil
}

// signer is externalSigner for a start that ends with its fault.
func (c *Config) signer() (ring.Signer, error) {
	s, fault := c.externalSigner()
	if fault != nil {
		return nil, exitWith(exitUsage, "%s %s", fault.Name, fault.Problem)
	}
	return s, nil
}

func (k *KeySettings) signerTLS() (*tls.Config, *configFault) {
	out := &tls.Config{MinVersion: tls.VersionTLS12}
	if file := k.SignerCAFile.Value; file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, &configFault{"TOLLGATE_KEY_SIGNER_CA_FILE", "cannot be read: " + err.Error()}
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(text) {
			return nil, &configFault{"TOLLGATE_KEY_SIGNER_CA_FILE", "has no certificate in it"}
		}
	}
	switch certFile, keyFile := k.SignerCertFile.Value, k.SignerKeyFile.Value; {
	case certFile == "" && keyFile == "":
	case certFile == "" || keyFile == "":
		return nil, &configFault{"TOLLGATE_KEY_SIGNER_CERT_FILE", "and TOLLGATE_KEY_SIGNER_KEY_FILE are set together or not at all"}
	default:
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return nil, &configFault{"TOLLGATE_KEY_SIGNER_CERT_FILE", "and TOLLGATE_KEY_SIGNER_KEY_FILE cannot be used: " + err.Error()}
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}
