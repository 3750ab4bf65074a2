//go:build interop

// Package verify_test runs the two verifiers of this folder and the one of ../oidc,
// other people's libraries, against a tollgate that signs with each algorithm in
// turn. It needs npm and its registry, the Go module proxy, and Debian's python3-jwt
// and redis-server.
package verify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/internal/testkit/interop"
)

const audience = "shop-api"

func TestMain(m *testing.M) { interop.Main(m) }

// verifier is one program that checks a token from its standard input.
type verifier struct {
	name    string
	command []string // ISSUER and AUDIENCE follow
}

func TestThirdPartiesVerify(t *testing.T) {
	goOIDC := filepath.Join(t.TempDir(), "oidc")
	interop.MustRun(t, "../oidc", nil, "go", "build", "-o", goOIDC, ".")
	verifiers := []verifier{
		{"jose", []string{"node", filepath.Join(interop.MustInstall(t, "verify.mjs"), "verify.mjs")}},
		{"PyJWT", []string{interop.MustPython(t, "jwt, cryptography", "python3-jwt python3-cryptography"), "verify.py"}},
		{"go-oidc", []string{goOIDC}}, // finds the keys by itself
	}
	upstream := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(upstream.Close)
	for _, alg := range []string{"ES256", "RS256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			s := interop.MustServe(t, interop.Env{"SIGNING_ALG": alg, "AUDIENCE": audience, "UPSTREAM": upstream.URL})
			user := s.MustAddUser(t, "ada")
			pair := s.MustLogIn(t, "ada")
			if got := interop.Segment(t, pair.Access, 0)["alg"]; got != alg {
				t.Fatalf("the token is signed with %q, want %q", got, alg)
			}
			for _, v := range verifiers {
				t.Run(v.name, func(t *testing.T) { v.check(t, s.URL, user, pair) })
			}
			t.Run("client credentials", func(t *testing.T) { checkClient(t, s, goOIDC) })
		})
	}
}

// checkClient lets a program that knows the issuer alone get a token and check it.
func checkClient(t *testing.T, s *interop.Tollgate, goOIDC string) {
	var client struct{ ID, Secret string }
	s.MustCommand(t, "", &client, "clients", "add", "reports", "--scope", "shop:read", "--scope", "shop:write")
	get := func(secret string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), goOIDC, append(append([]string{"-client", client.ID}, args...), s.URL, audience)...)
		cmd.Env = []string{"CLIENT_SECRET=" + secret}
		out, err := cmd.Output()
		return string(out), err
	}
	out, err := get(client.Secret, "-scope", "shop:read")
	if err != nil || !strings.Contains(out, `"scope":"shop:read"`) || !strings.Contains(out, `"sub":"reports"`) {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := get("wrong"); err == nil {
		t.Errorf("with a wrong secret: %s", out)
	}
	if out, err := get(client.Secret, "-scope", "admin"); err == nil {
		t.Errorf("with a scope of another: %s", out)
	}
}

// jwksURI is where the metadata say that the keys are.
func jwksURI(t *testing.T, issuer string) string {
	t.Helper()
	res, err := http.Get(issuer + "/.well-known/oauth-authorization-server")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var metadata struct {
		JWKS string `json:"jwks_uri"`
	}
	if err := json.NewDecoder(res.Body).Decode(&metadata); err != nil || metadata.JWKS == "" {
		t.Fatalf("metadata %+v: %v", metadata, err)
	}
	return metadata.JWKS
}

// check runs one verifier over the token as it is, and over what must not pass.
func (v verifier) check(t *testing.T, issuer, user string, pair interop.Pair) {
	access, refresh := pair.Access, pair.Refresh
	cases := []struct{ name, token, issuer, audience string }{
		{"forged claims", interop.Forged(t, access), issuer, audience},
		{"altered signature", interop.Altered(t, access), issuer, audience},
		{"signature of another token", access[:strings.LastIndex(access, ".")] + refresh[strings.LastIndex(refresh, "."):], issuer, audience},
		{"no signature", access[:strings.LastIndex(access, ".")+1], issuer, audience},
		{"another audience", access, issuer, "billing-api"},
		{"another issuer", access, issuer + "/other", audience},
		{"refresh token", refresh, issuer, audience},
		{"nothing", "", issuer, audience},
	}
	jwks := jwksURI(t, issuer)
	claims := v.mustAccept(t, access, issuer)
	for name, want := range map[string]any{"iss": issuer, "sub": user, "token_type": "access"} {
		if claims[name] != want {
			t.Errorf("claim %s is %v, want %v", name, claims[name], want)
		}
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			out, complaint, code := v.run(t, c.token, c.issuer, c.audience, jwks)
			if code != 1 || out != "" || !strings.HasPrefix(complaint, "refused: ") {
				t.Errorf("exit code %d, stdout %q, stderr %q: want 1 and a refusal", code, out, complaint)
			}
		})
	}
}

func (v verifier) mustAccept(t *testing.T, token, issuer string) map[string]any {
	t.Helper()
	out, complaint, code := v.run(t, token, issuer, audience)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, complaint)
	}
	var claims map[string]any
	if err := json.Unmarshal([]byte(out), &claims); err != nil {
		t.Fatalf("the claims %q: %v", out, err)
	}
	return claims
}

func (v verifier) run(t *testing.T, token string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), v.command[0], append(v.command[1:len(v.command):len(v.command)], args...)...)
	cmd.Stdin = strings.NewReader(token)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return out.String(), complaint.String(), exit.ExitCode()
	}
	if err != nil {
		t.Fatalf("run %s: %v", v.name, err)
	}
	return out.String(), complaint.String(), 0
}
