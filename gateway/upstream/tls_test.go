package upstream

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority is a CA of the test's own.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	a.cert, a.key, a.pem, _ = issue(t, nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	return a
}

func issue(t *testing.T, by *authority, c *x509.Certificate) (cert *x509.Certificate, key *ecdsa.PrivateKey, certPEM, keyPEM []byte) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := c, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	must(err)
	cert, err = x509.ParseCertificate(der)
	must(err)
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	return cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// leaf writes a certificate and its key to files.
func (a *authority) leaf(t *testing.T, name string) (certFile, keyFile string, pair tls.Certificate) {
	t.Helper()
	_, _, cert, key := issue(t, a, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return file(t, name+".pem", cert), file(t, name+".key", key), pair
}

func file(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// mustTLS starts a server with a certificate for app.internal and 127.0.0.1 that
// asks for client certificates of the same authority.
func mustTLS(t *testing.T, ca *authority, auth tls.ClientAuthType, h2 bool, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	_, _, pair := ca.leaf(t, "app.internal")
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: auth, ClientCAs: pool, MinVersion: tls.VersionTLS12}
	s.EnableHTTP2 = h2
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of each handshake that is refused
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestTLS(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	caFile, strangerFile := file(t, "ca.pem", ca.pem), file(t, "stranger.pem", stranger.pem)
	certFile, keyFile, _ := ca.leaf(t, "edge")
	otherCert, otherKey, _ := stranger.leaf(t, "edge")
	who := func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) > 0 {
			_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
		}
	}
	open := mustTLS(t, ca, tls.NoClientCert, false, who)
	closed := mustTLS(t, ca, tls.RequireAndVerifyClientCert, false, who)
	for _, c := range []struct {
		name   string
		config Config
		want   string
		fails  bool
	}{
		{"own CA", Config{URLs: []string{open.URL}, CAFile: caFile}, "", false},
		{"no CA", Config{URLs: []string{open.URL}}, "", true},
		{"wrong CA", Config{URLs: []string{open.URL}, CAFile: strangerFile}, "", true},
		{"server name", Config{URLs: []string{open.URL}, CAFile: caFile, ServerName: "app.internal"}, "", false},
		{"wrong server name", Config{URLs: []string{open.URL}, CAFile: caFile, ServerName: "other.internal"}, "", true},
		{"client certificate", Config{URLs: []string{closed.URL}, CAFile: caFile, CertFile: certFile, KeyFile: keyFile}, "edge", false},
		{"no client certificate", Config{URLs: []string{closed.URL}, CAFile: caFile}, "", true},
		{"wrong client certificate", Config{URLs: []string{closed.URL}, CAFile: caFile, CertFile: otherCert, KeyFile: otherKey}, "", true},
	} {
		for _, h2 := range []bool{false, true} {
			c.config.HTTP2 = h2
			t.Run(c.name, func(t *testing.T) {
				u := mustUpstream(t, c.config)
				for range 2 { // the second on the same connection
					got, err := get(t, u)
					if (err != nil) != c.fails || got != c.want {
						t.Fatalf("got %q, %v", got, err)
					}
				}
				if s := u.Status()[0]; c.fails && s.LastError == "" {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

func TestWrongCAMakesNoConnection(t *testing.T) {
	s := mustTLS(t, newAuthority(t), tls.NoClientCert, false, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") })
	u := mustUpstream(t, Config{URLs: []string{s.URL}})
	_, err := ask(u, request(t, http.MethodPost, "/", "secret"))
	failed, ok := errors.AsType[*Error](err)
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); !ok || !failed.Connect || failed.Timeout() || !unknown {
		t.Errorf("%v", err)
	}
}
