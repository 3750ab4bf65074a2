package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tollgate/internal/server"
	"tollgate/internal/testkit"
)

// files are a certificate and its key in a directory of their own.
type files struct {
	t         testing.TB
	dir       string
	cert, key string
}

func mustFiles(t testing.TB, name string) *files {
	t.Helper()
	dir := t.TempDir()
	f := &files{t: t, dir: dir, cert: filepath.Join(dir, "tls.crt"), key: filepath.Join(dir, "tls.key")}
	f.mustWrite(mustPair(t, name, 90*24*time.Hour))
	return f
}

func (f *files) mustWrite(certPEM, keyPEM []byte) {
	f.t.Helper()
	mustWrite(f.t, f.cert, certPEM)
	mustWrite(f.t, f.key, keyPEM)
}

func mustWrite(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (f *files) mustLoad(log *slog.Logger) *server.Certificate {
	f.t.Helper()
	c, err := server.LoadCertificate(f.cert, f.key, log)
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// mustPair makes a self-signed certificate for 127.0.0.1 under a name.
func mustPair(t testing.TB, name string, life time.Duration) (certPEM, keyPEM []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life),
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}, &x509.Certificate{SerialNumber: big.NewInt(1)}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// trusting is a client that knows the certificate that is in the file now.
func (f *files) trusting() *tls.Config {
	f.t.Helper()
	data, err := os.ReadFile(f.cert)
	if err != nil {
		f.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		f.t.Fatal("no certificate to trust")
	}
	return &tls.Config{RootCAs: pool}
}

// speaking returns a client that speaks the protocols, and its transport's end.
func speaking(t *testing.T, config *tls.Config, set ...func(*http.Protocols, bool)) *http.Client {
	t.Helper()
	protocols := new(http.Protocols)
	for _, f := range set {
		f(protocols, true)
	}
	tr := &http.Transport{Protocols: protocols, TLSClientConfig: config}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second}
}

var (
	http1 = (*http.Protocols).SetHTTP1
	h2    = (*http.Protocols).SetHTTP2
	h2c   = (*http.Protocols).SetUnencryptedHTTP2
)

// lines is a log that a test can read.
type lines struct{ testkit.Buffer }

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
