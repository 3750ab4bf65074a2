package users

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// mustCertificate writes a self-signed certificate of this name and its key.
func mustCertificate(t *testing.T, name, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	mustWrite(t, certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	mustWrite(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

func TestBackEndOverTLS(t *testing.T) {
	shown := make(chan string, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown <- r.TLS.PeerCertificates[0].Subject.CommonName
		says(200, `{"id": 7}`)(w, r)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	dir := t.TempDir()
	ca, cert, key := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	mustWrite(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	mustCertificate(t, "first", cert, key)

	d := mustHTTP(t, HTTPConfig{URL: server.URL, CAFile: ca, CertFile: cert, KeyFile: key})
	login := func() string {
		t.Helper()
		if _, err := d.Authenticate(t.Context(), "ada", "pw"); err != nil {
			t.Fatal(err)
		}
		d.Close()
		return <-shown
	}
	if name := login(); name != "first" {
		t.Errorf("showed %q", name)
	}
	mustCertificate(t, "renewed", cert, key)
	if name := login(); name != "renewed" {
		t.Errorf("showed %q after it was renewed", name)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if name := login(); name != "renewed" {
		t.Errorf("showed %q with the key gone", name)
	}
	for how, c := range map[string]HTTPConfig{"an unknown CA": {URL: server.URL}, "no certificate": {URL: server.URL, CAFile: ca}} {
		if _, err := mustHTTP(t, c).Authenticate(t.Context(), "ada", "pw"); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s = %v, want ErrUnavailable", how, err)
		}
	}
	for how, c := range map[string]HTTPConfig{
		"no URL": {}, "no scheme": {URL: "host/x"}, "a query": {URL: "https://h/?x=1"}, "a password": {URL: "https://u:secret@h/"},
		"no CA file": {URL: server.URL, CAFile: dir + "/none"}, "no CA in it": {URL: server.URL, CAFile: filepath.Join(dir, "empty")},
		"no key": {URL: server.URL, CertFile: cert}, "no certificate": {URL: server.URL, KeyFile: key}, "the key is gone": {URL: server.URL, CertFile: cert, KeyFile: key},
	} {
		mustWrite(t, filepath.Join(dir, "empty"), "")
		if _, err := NewHTTP(c); err == nil {
			t.Errorf("%s: taken", how)
		}
	}
}
