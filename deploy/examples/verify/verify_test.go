//go:build interop

// Package verify_test runs the two verifiers of this folder, other people's
// libraries, against a tollgate that signs with each algorithm in turn. It needs
// npm and its registry, and Debian's python3-jwt and redis-server.
package verify_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const audience = "shop-api"

// verifier is one program that checks a token from its standard input.
type verifier struct {
	name    string
	command []string // ISSUER and AUDIENCE follow
}

func TestThirdPartiesVerify(t *testing.T) {
	verifiers := []verifier{
		{"jose", mustJose(t)},
		{"PyJWT", mustPyJWT(t)},
	}
	binary := mustBuild(t)
	for _, alg := range []string{"ES256", "RS256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			s := mustServe(t, binary, alg)
			user := s.mustAddUser("ada", "correct horse battery staple")
			access, refresh := s.mustLogIn("ada", "correct horse battery staple")
			if got := header(t, access); got != alg {
				t.Fatalf("the token is signed with %q, want %q", got, alg)
			}
			for _, v := range verifiers {
				t.Run(v.name, func(t *testing.T) { v.check(t, s.issuer, user, access, refresh) })
			}
		})
	}
}

// check runs one verifier over the token as it is, and over what must not pass.
func (v verifier) check(t *testing.T, issuer, user, access, refresh string) {
	cases := []struct{ name, token, issuer, audience string }{
		{"forged claims", forged(t, access), issuer, audience},
		{"altered signature", altered(t, access), issuer, audience},
		{"signature of another token", access[:strings.LastIndex(access, ".")] + refresh[strings.LastIndex(refresh, "."):], issuer, audience},
		{"no signature", access[:strings.LastIndex(access, ".")+1], issuer, audience},
		{"another audience", access, issuer, "billing-api"},
		{"another issuer", access, issuer + "/other", audience},
		{"refresh token", refresh, issuer, audience},
		{"nothing", "", issuer, audience},
	}
	claims := v.mustAccept(t, access, issuer)
	for name, want := range map[string]any{"iss": issuer, "sub": user, "token_type": "access"} {
		if claims[name] != want {
			t.Errorf("claim %s is %v, want %v", name, claims[name], want)
		}
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			out, complaint, code := v.run(t, c.token, c.issuer, c.audience, issuer+"/.well-known/jwks.json")
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

// forged names another user under the signature of the token.
func forged(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	claims := decode(t, parts[1])
	claims["sub"], claims["user_id"] = "root", "root"
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(text)
	return strings.Join(parts, ".")
}

// altered changes one bit in the middle of the signature.
func altered(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	signature[len(signature)/2] ^= 1
	parts[2] = base64.RawURLEncoding.EncodeToString(signature)
	return strings.Join(parts, ".")
}

// header returns the algorithm that a token names.
func header(t *testing.T, token string) any {
	t.Helper()
	first, _, _ := strings.Cut(token, ".")
	return decode(t, first)["alg"]
}

func decode(t *testing.T, segment string) map[string]any {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// mustJose installs what package-lock.json pins beside a copy of verify.mjs, so
// that the tree stays as it is.
func mustJose(t *testing.T) []string {
	t.Helper()
	npm, node := mustFind(t, "npm"), mustFind(t, "node")
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "verify.mjs"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustRun(t, dir, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	return []string{node, filepath.Join(dir, "verify.mjs")}
}

// mustPyJWT finds a Python that has PyJWT: Debian's own before others on PATH.
func mustPyJWT(t *testing.T) []string {
	t.Helper()
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import jwt, cryptography").Run() == nil {
			return []string{python, "verify.py"}
		}
	}
	t.Fatal("no Python with PyJWT (Debian: apt-get install python3-jwt python3-cryptography)")
	return nil
}

func mustBuild(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "tollgate")
	mustRun(t, ".", mustFind(t, "go"), "build", "-o", binary, "tollgate/cmd/tollgate")
	return binary
}

func mustFind(t *testing.T, program string) string {
	t.Helper()
	found, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("no %s on PATH", program)
	}
	return found
}

func mustRun(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
}
