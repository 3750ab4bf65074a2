package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func mustSwap(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file+".next", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".next", file); err != nil {
		t.Fatal(err)
	}
}

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func mustPublicKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("PUBLIC KEY", der)
}

// The files that the routes and the trusted issuers name are part of them: a change
// of one is a change of the configuration, and mends a reload that failed by it.
func TestNamedFilesAreWatched(t *testing.T) {
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "by TLS") }))
	t.Cleanup(secure.Close)
	good := pemOf("CERTIFICATE", secure.Certificate().Raw)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	routesNaming := func(ca string) string {
		return fmt.Sprintf("version: 1\nupstreams: {app: {urls: [%q], tls: {ca_file: %q, server_name: example.com}}}\n"+
			"routes: [{name: app, match: {path: /}, upstream: app, auth: {mode: none}}]\n", secure.URL, in(ca))
	}
	issuersNaming := func(key string) string {
		return fmt.Sprintf("issuers: [{issuer: partner, audiences: [a], algorithms: [ES256], key_file: %s}]\n", key)
	}
	mustSwap(t, in("issuers.yaml"), issuersNaming("partner.pem"))
	mustSwap(t, in("partner.pem"), mustPublicKey(t))
	mustSwap(t, in("routes.yaml"), routesNaming("ca.pem"))
	other := mustOtherAuthority(t)
	mustSwap(t, in("ca.pem"), other)
	s := mustSystem(t, "TOLLGATE_UPSTREAM=", "TOLLGATE_ROUTES_FILE="+in("routes.yaml"), "TOLLGATE_TRUSTED_ISSUERS_FILE="+in("issuers.yaml"),
		"TOLLGATE_ROUTES_POLL=20ms", "TOLLGATE_LOG_LEVEL=info", "TOLLGATE_ACCESS_LOG=false")
	answers := func(status int) func() bool {
		return func() bool { return s.mustSend("GET", s.Public+"/", nil).Status == status }
	}
	if !answers(http.StatusBadGateway)() {
		t.Fatal("a back end of another authority is believed")
	}
	mustSwap(t, in("ca.pem"), good)
	s.eventually("reached by the renewed authority, under the same text", 20*time.Second, answers(http.StatusOK))

	count := s.logs.Count
	const reloaded, refused = "the configuration was reloaded", "the configuration was not reloaded"
	s.eventually("said so", 20*time.Second, func() bool { return count(reloaded) > 0 }) // after the first answer by it, perhaps
	for _, c := range []struct{ name, file, text, missing, then string }{
		{"routes", "routes.yaml", routesNaming("next.pem"), "next.pem", good},
		{"issuers", "issuers.yaml", issuersNaming("next-key.pem"), "next-key.pem", mustPublicKey(t)},
	} {
		before, failed := count(reloaded), count(refused)
		mustSwap(t, in(c.file), c.text)
		s.eventually(c.name+": refused", 20*time.Second, func() bool { return count(refused) > failed })
		mustSwap(t, in(c.missing), "not what is needed")
		s.eventually(c.name+": refused again", 20*time.Second, func() bool { return count(refused) > failed+1 })
		if count(reloaded) != before {
			t.Errorf("%s: reloaded without its file", c.name)
		}
		mustSwap(t, in(c.missing), c.then)
		s.eventually(c.name+": mended by the file that it names", 20*time.Second, func() bool { return count(reloaded) > before })
		if !answers(http.StatusOK)() {
			t.Errorf("%s: not served", c.name)
		}
	}
	before := count(reloaded)
	mustSwap(t, in("ca.pem"), other) // nobody names it any more
	mustSwap(t, in("next-key.pem"), mustPublicKey(t))
	s.eventually("a key in force is watched", 20*time.Second, func() bool { return count(reloaded) > before })
	if !answers(http.StatusOK)() {
		t.Error("not served in the end")
	}
}

// mustOtherAuthority returns a certificate that has signed nothing.
func mustOtherAuthority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("CERTIFICATE", der)
}
