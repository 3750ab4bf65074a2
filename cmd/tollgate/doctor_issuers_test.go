package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"tollgate/internal/testkit"
)

// mustIssuersFile writes a file that trusts one issuer, whose keys come from source.
func mustIssuersFile(t *testing.T, source string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "issuers.yaml")
	text := fmt.Sprintf("issuers: [{issuer: \"https://id.example\", audiences: [a], %s}]\n", source)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestDoctorOnIssuers(t *testing.T) {
	const good = `{"kty":"EC","crv":"P-256","kid":"k","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}`
	const odd = `{"kty":"AKP","kid":"odd","alg":"ML-DSA-44","pub":"AAAA"}`
	answers := func(body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		t.Cleanup(s.Close)
		return "jwks_url: " + s.URL
	}
	dead := fmt.Sprintf("jwks_url: \"http://127.0.0.1:%d/jwks\"", testkit.MustFreePort(t))
	tests := []struct {
		name, source string
		online       bool
		want         []string
	}{
		{"good", answers(`{"keys":[` + good + `]}`), true, nil},
		{"with an odd key", answers(`{"keys":[` + good + `,` + odd + `]}`), true, []string{"info issuers.keys: jwks_url http://127.0.0.1:"}},
		{"odd keys alone", answers(`{"keys":[` + odd + `]}`), true, []string{"error issuers.keys: jwks_url http://127.0.0.1:"}},
		{"dead", dead, true, []string{"error issuers.keys: jwks_url http://127.0.0.1:"}},
		{"dead but not asked", dead, false, nil},
		{"a file that is not there", "key_file: no.pem", false, []string{`error issuers.keys: issuer "https://id.example": key_file`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := mustDoctor(t, map[string]string{"TOLLGATE_TRUSTED_ISSUERS_FILE": mustIssuersFile(t, tt.source)})
			d.online = tt.online
			d.issuers(t.Context())
			wantFindings(t, d.findings, tt.want...)
		})
	}
}

func TestDoctorOnUpstreams(t *testing.T) {
	alive := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(alive.Close)
	dead := fmt.Sprintf("http://127.0.0.1:%d", testkit.MustFreePort(t))
	file := filepath.Join(t.TempDir(), "routes.yaml")
	text := fmt.Sprintf(`version: 1
upstreams:
  fine: { urls: [%[1]q] }
  half: { urls: [%[1]q, %[2]q] }
  gone: { urls: [%[2]q] }
routes:
  - { name: fine, match: { path: /fine/ }, upstream: fine }
  - { name: half, match: { path: /half/ }, upstream: half }
  - { name: gone, match: { path: /gone/ }, upstream: gone }
  - { name: gone-too, match: { path: /gone/too/ }, upstream: gone }
`, alive.URL, dead)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := mustDoctor(t, map[string]string{"TOLLGATE_UPSTREAM": "-", "TOLLGATE_ROUTES_FILE": file})
	d.upstreams(t.Context())
	wantFindings(t, d.findings)
	d.online = true
	d.upstreams(t.Context())
	got := newReport(d.findings, nil).Findings
	wantFindings(t, got, "error upstreams.reach: "+dead+" cannot be reached: ", "warning upstreams.reach: "+dead)
	if got[0].Where != "gone" || got[1].Where != "half" {
		t.Errorf("%s and %s", got[0].Where, got[1].Where)
	}
}
