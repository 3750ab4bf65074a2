package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tlsFiles are a self-signed certificate for 127.0.0.1 and its key.
type tlsFiles struct{ cert, key string }

func mustTLSFiles(t *testing.T) tlsFiles {
	t.Helper()
	dir := t.TempDir()
	f := tlsFiles{filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")}
	f.mustRenew(t, 90*24*time.Hour)
	return f
}

// mustRenew writes a new pair and returns the certificate.
func (f tlsFiles) mustRenew(t *testing.T, life time.Duration) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), NotBefore: now.Add(-1000 * time.Hour), NotAfter: now.Add(life),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{f.cert: {Type: "CERTIFICATE", Bytes: der}, f.key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func (f tlsFiles) env() map[string]string {
	return map[string]string{"TOLLGATE_TLS_CERT_FILE": f.cert, "TOLLGATE_TLS_KEY_FILE": f.key}
}

func TestTLSSettings(t *testing.T) {
	f, other := mustTLSFiles(t), mustTLSFiles(t)
	if got := faultsOf(t, with(f.env())); len(got) > 0 {
		t.Errorf("a good pair: %q", got)
	}
	env := f.env()
	env["TOLLGATE_HSTS"] = "8760h"
	if c := mustLoad(t, with(env)); c.Listeners.HSTS.Value != 365*24*time.Hour || len(c.Warnings) > 0 {
		t.Errorf("HSTS %v, warnings %q", c.Listeners.HSTS.Value, c.Warnings)
	}
	env["TOLLGATE_HSTS"] = "500ms"
	if got := faultsOf(t, with(env)); len(got) != 1 || !strings.HasPrefix(got[0], "TOLLGATE_HSTS has to be at least 1s") {
		t.Errorf("HSTS of no second: %q", got)
	}
	got := faultsOf(t, with(map[string]string{"TOLLGATE_TLS_CERT_FILE": f.cert, "TOLLGATE_TLS_KEY_FILE": other.key}))
	want := "TOLLGATE_TLS_CERT_FILE and TOLLGATE_TLS_KEY_FILE cannot be used: TLS certificate " + f.cert + " and key " + other.key + " do not belong together"
	if len(got) != 1 || got[0] != want {
		t.Errorf("two pairs mixed: %q", got)
	}
	f.mustRenew(t, -time.Hour)
	if c := mustLoad(t, with(f.env())); len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "TOLLGATE_TLS_CERT_FILE holds a certificate that has expired") {
		t.Errorf("expired: %q", c.Warnings)
	}
}

// The whole program by TLS: HTTP/2 and HTTP/1.1, HSTS on answers and refusals, a
// certificate that is renewed under it. Admin and ops stay plain HTTP/1.1.
func TestServeByTLS(t *testing.T) {
	f := mustTLSFiles(t)
	s := mustSystem(t, "TOLLGATE_TLS_CERT_FILE="+f.cert, "TOLLGATE_TLS_KEY_FILE="+f.key, "TOLLGATE_HSTS=24h")
	s.mustAddUser(ada, adaPassword)
	public := "https://" + strings.TrimPrefix(s.Public, "http://")
	ask := func(c *http.Client, path, token string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", public+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(body)
	}
	for _, protocol := range []string{"HTTP/2.0", "HTTP/1.1"} {
		c := f.mustClient(t, protocol == "HTTP/2.0")
		res, err := c.Post(public+"/api/token/", "application/json", strings.NewReader(`{"username":"`+ada+`","password":"`+adaPassword+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		_, access, _ := strings.Cut(string(body), `"access":"`)
		access, _, _ = strings.Cut(access, `"`)
		for path, want := range map[string]int{"/x": 200, "/.well-known/jwks.json": 200, "/%2e%2e/": 400} {
			res, text := ask(c, path, access)
			if res.StatusCode != want || res.Proto != protocol || res.Header.Get("Strict-Transport-Security") != "max-age=86400" {
				t.Errorf("%s %s: %d %s, HSTS %q, %s", protocol, path, res.StatusCode, res.Proto, res.Header["Strict-Transport-Security"], text)
			}
		}
		if res, _ := ask(c, "/x", ""); res.StatusCode != 401 || len(res.Header["Strict-Transport-Security"]) != 1 {
			t.Errorf("%s without a token: %d %q", protocol, res.StatusCode, res.Header)
		}
	}
	for _, r := range s.requests() {
		if got := r.Header.Get("X-Forwarded-Proto"); got != "https" {
			t.Errorf("the back end was told %q", got)
		}
	}
	renewed := f.mustRenew(t, 90*24*time.Hour)
	s.eventually("the renewed certificate is served", 10*time.Second, func() bool {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(s.Public, "http://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return false
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Equal(renewed)
	})
	if r := s.mustSend("GET", s.Ops+"/livez", nil); r.Status != 200 || r.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("ops: %d %q", r.Status, r.Header)
	}
}

// mustClient trusts the certificate that is in the file now.
func (f tlsFiles) mustClient(t *testing.T, http2 bool) *http.Client {
	t.Helper()
	data, err := os.ReadFile(f.cert)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(data)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, Protocols: protocols}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}
}

// A certificate that cannot be used is known before anything is opened: exit 2.
func TestUnusableCertificate(t *testing.T) {
	f := mustTLSFiles(t)
	if err := os.WriteFile(f.key, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"serve", "validate"} {
		cmd := exec.Command(mustBinary(t), command)
		cmd.Env = []string{"PATH=/usr/bin"}
		for name, value := range with(f.env()) {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		out, _ := cmd.CombinedOutput()
		text := string(out)
		if cmd.ProcessState.ExitCode() != exitUsage || !strings.Contains(text, "TOLLGATE_TLS_KEY_FILE") || !strings.Contains(text, f.key) || strings.Contains(text, "hunter2") {
			t.Errorf("%s: exit code %d\n%s", command, cmd.ProcessState.ExitCode(), text)
		}
	}
}

// The plain public listener takes HTTP/2 with prior knowledge, as a load balancer
// speaks it; the admin listener does not.
func TestServeByH2C(t *testing.T) {
	s := mustSystem(t)
	s.mustAddUser(ada, adaPassword)
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	tr := &http.Transport{Protocols: protocols}
	defer tr.CloseIdleConnections()
	c := &http.Client{Transport: tr, Timeout: 10 * time.Second}
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.Public+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.mustLogin(ada, adaPassword).Access)
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 || res.ProtoMajor != 2 || res.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("%s %d %q", res.Proto, res.StatusCode, res.Header)
	}
	if res, err := c.Get(s.Admin + "/"); err == nil {
		res.Body.Close()
		t.Errorf("the admin listener speaks %s", res.Proto)
	}
}
