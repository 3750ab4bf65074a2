//go:build interop

// Package tls_test speaks TLS with tollgate: h2load (Debian's nghttp2-client) over
// HTTP/2 and HTTP/1.1, and Go's own client. It needs h2load and redis-server.
package tls_test

import (
	"crypto/tls"
	"fmt"
	"math/big"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit/interop"
)

func TestMain(m *testing.M) { interop.Main(m) }

// requests of one run of h2load.
const requests = 20_000

func TestLoad(t *testing.T) {
	b := interop.MustBackend(t)
	cert := interop.MustCertificate(t)
	g := interop.MustServe(t, interop.Env{
		"ROUTES_FILE":   interop.MustWrite(t, "routes.yaml", interop.MustRender(t, "routes.yaml", map[string]string{"127.0.0.1:8000": b.Addr})),
		"TLS_CERT_FILE": cert.CertFile, "TLS_KEY_FILE": cert.KeyFile, "ACCESS_LOG": "false",
	})
	g.Client = cert.MustClient(t)
	g.MustAddUser(t, "ada")
	token := g.MustLogIn(t, "ada").Access
	checkHandshakes(t, g, token)

	for _, c := range []struct {
		protocol string
		args     []string
	}{
		{"h2", []string{"-c", "20", "-m", "10"}},
		{"http/1.1", []string{"--h1", "-c", "20"}},
	} {
		t.Run(c.protocol, func(t *testing.T) {
			before := b.Hits()
			renewed := make(chan *big.Int, 1)
			timer := time.AfterFunc(500*time.Millisecond, func() { renewed <- cert.MustRenew(t) })
			defer timer.Stop()
			out := interop.MustRun(t, ".", nil, "h2load", append(c.args,
				"-n", fmt.Sprint(requests), "-H", interop.Bearer(token), "-H", "X-User-Id: root", g.URL+"/")...)
			for _, want := range []string{
				fmt.Sprintf("requests: %[1]d total, %[1]d started, %[1]d done, %[1]d succeeded, 0 failed, 0 errored, 0 timeout", requests),
				fmt.Sprintf("status codes: %d 2xx, 0 3xx, 0 4xx, 0 5xx", requests),
				"TLS Protocol: TLSv1.3", "Application protocol: " + c.protocol,
			} {
				if !strings.Contains(out, want) {
					t.Fatalf("h2load does not say %q:\n%s", want, out)
				}
			}
			if got := b.Hits() - before; got != requests {
				t.Errorf("%d requests reached the back end", got)
			}
			t.Logf("%s: %s; 0 failed of %d", c.protocol, regexp.MustCompile(`finished in .*`).FindString(out), requests)
			mustServeNew(t, g.Addr, <-renewed)
		})
	}
}

// checkHandshakes looks at what ALPN and the versions come to.
func checkHandshakes(t *testing.T, g *interop.Tollgate, token string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for want, line := range map[int]string{http.StatusOK: token, http.StatusUnauthorized: "nonsense"} {
		req.Header.Set("Authorization", "Bearer "+line)
		res, err := g.Client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want || res.ProtoMajor != 2 {
			t.Errorf("%s: status %d, want %d over HTTP/2", res.Proto, res.StatusCode, want)
		}
	}
	if c, err := tls.Dial("tcp", g.Addr, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		c.Close()
		t.Error("TLS 1.1 is spoken")
	}
	if res, err := http.Get("http://" + g.Addr + "/"); err == nil {
		if res.Body.Close(); res.StatusCode != http.StatusBadRequest {
			t.Errorf("plain HTTP is answered with %d", res.StatusCode)
		}
	}
}

// mustServeNew waits until new connections get the new certificate.
func mustServeNew(t *testing.T, addr string, serial *big.Int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		got := c.ConnectionState().PeerCertificates[0].SerialNumber
		c.Close()
		if got.Cmp(serial) == 0 {
			return
		}
	}
	t.Error("the new certificate is not in use after 10s")
}
