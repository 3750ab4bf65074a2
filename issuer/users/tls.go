package users

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
)

// clientTLS is how the back end is spoken to. A certificate is read once now, so
// that a fault shows at the start, and at each connection, so that a renewed one is
// used; while that fails the last good one is shown.
func clientTLS(caFile, certFile, keyFile string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("users: certificates of the back end: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("users: certificates of the back end: %s holds none", caFile)
		}
	}
	if (certFile == "") != (keyFile == "") {
		return nil, errors.New("users: a certificate for the back end needs its key, and the other way round")
	}
	if certFile == "" {
		return c, nil
	}
	first, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("users: certificate for the back end: %w", err)
	}
	var last atomic.Pointer[tls.Certificate]
	last.Store(&first)
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if renewed, err := tls.LoadX509KeyPair(certFile, keyFile); err == nil {
			last.Store(&renewed)
		}
		return last.Load(), nil
	}
	return c, nil
}
