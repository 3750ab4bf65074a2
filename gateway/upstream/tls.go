package upstream

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// material is what the TLS files hold.
type material struct{ ca, cert, key []byte }

// readMaterial reads the files and names each that cannot be read.
func (c Config) readMaterial() (material, error) {
	var m material
	var faults []error
	for _, file := range []struct {
		what, path string
		into       *[]byte
	}{{"CA", c.CAFile, &m.ca}, {"certificate", c.CertFile, &m.cert}, {"key", c.KeyFile, &m.key}} {
		if file.path == "" {
			continue
		}
		data, err := os.ReadFile(file.path)
		if err != nil {
			faults = append(faults, fmt.Errorf("upstream %q: %s file: %w", c.Name, file.what, err))
		}
		*file.into = data
	}
	return m, errors.Join(faults...)
}

// digest names the contents, so that a renewed certificate is a change.
func (m material) digest() [sha256.Size]byte {
	h := sha256.New()
	for _, part := range [][]byte{m.ca, m.cert, m.key} {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// tlsConfig returns how targets are verified and what is shown to them.
func (c Config) tlsConfig(m material) (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName}
	var faults []error
	if m.ca != nil {
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(m.ca) {
			faults = append(faults, fmt.Errorf("upstream %q: CA file: %s holds no certificate", c.Name, c.CAFile))
		}
	}
	if m.cert != nil && m.key != nil {
		pair, err := tls.X509KeyPair(m.cert, m.key)
		if err != nil {
			faults = append(faults, fmt.Errorf("upstream %q: client certificate: %w", c.Name, err))
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, errors.Join(faults...)
}
