//go:build interop

// Package rotation_test takes other people's verifiers through rotations of
// tollgate's keys without starting them again. It needs npm and its registry, the
// Go module proxy, haproxy, and Debian's python3-jwt, python3-jwcrypto and
// python3-djangorestframework-simplejwt.
package rotation_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

const audience = "shop"

func TestMain(m *testing.M) { interop.Main(m) }

// The cache time of the verifiers, in seconds, and the time for which a key is
// published before it signs.
const (
	cache      = "3"
	prepublish = "4s"
)

func mustServe(t *testing.T, more interop.Env) *interop.Tollgate {
	t.Helper()
	upstream := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(upstream.Close)
	env := interop.Env{"AUDIENCE": audience, "UPSTREAM": upstream.URL, "KEY_PREPUBLISH": prepublish, "ACCESS_TTL": "15s"}
	for name, value := range more {
		env[name] = value
	}
	return interop.MustServe(t, env)
}

// TestThroughRotations: each verifier is started once, and accepts every token
// from the first to the last, while the keys change under it three times.
func TestThroughRotations(t *testing.T) {
	node := interop.MustInstall(t, "watch.mjs")
	python := interop.MustPython(t, "jwt, cryptography, rest_framework_simplejwt", "python3-jwt python3-cryptography python3-djangorestframework-simplejwt")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	goOIDC := filepath.Join(t.TempDir(), "oidc")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", goOIDC, ".")
	build.Dir = "oidc"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build go-oidc: %v %s", err, out)
	}
	for _, alg := range []string{"ES256", "RS256"} {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			s := mustServe(t, interop.Env{"SIGNING_ALG": alg, "KEY_ROTATE_EVERY": "5s"})
			s.MustAddUser(t, "ada")
			jwks := s.URL + "/.well-known/jwks.json"
			watchers := map[string]*interop.Talk{
				"jose":      interop.MustTalk(t, node, nil, "node", "watch.mjs", s.URL, audience, jwks, cache),
				"PyJWT":     interop.MustTalk(t, here, nil, python, "watch_pyjwt.py", s.URL, audience, jwks, cache),
				"SimpleJWT": interop.MustTalk(t, here, nil, python, "watch_simplejwt.py", s.URL, audience, jwks, alg),
				"go-oidc":   interop.MustTalk(t, here, nil, goOIDC, s.URL, audience, jwks),
			}
			through(t, s, watchers)
		})
	}
}

// through makes tokens until four keys have signed, and shows each one, fresh and
// near its end, to all.
func through(t *testing.T, s *interop.Tollgate, watchers map[string]*interop.Talk) {
	t.Helper()
	pair := s.MustLogIn(t, "ada")
	kids, shown := map[string]bool{}, 0
	type issued struct {
		token string
		at    time.Time
	}
	var alive []issued
	show := func(token string) {
		for name, w := range watchers {
			w.MustSay(t, token)
			if got := w.MustHear(t, "verdict").Text("verdict"); got != "ok" {
				t.Errorf("%s after %d keys, a token of %v: %s", name, len(kids), interop.Segment(t, token, 0)["kid"], got)
			}
			shown++
		}
	}
	for end := time.Now().Add(2 * time.Minute); len(kids) < 4 && time.Now().Before(end); time.Sleep(300 * time.Millisecond) {
		if status := s.MustPost(t, "/api/token/refresh/", "", map[string]string{"refresh": pair.Refresh}, &pair); status != http.StatusOK {
			t.Fatalf("refresh: %d", status)
		}
		kids[interop.Segment(t, pair.Access, 0)["kid"].(string)] = true
		show(pair.Access)
		alive = append(alive, issued{pair.Access, time.Now()})
		for len(alive) > 0 && time.Since(alive[0].at) > 12*time.Second { // of 15, without any leeway
			show(alive[0].token)
			alive = alive[1:]
		}
	}
	t.Logf("%d keys signed, %d verdicts", len(kids), shown)
	if len(kids) < 4 {
		t.Errorf("only %d keys", len(kids))
	}
	for name, w := range watchers { // they do refuse
		w.MustSay(t, interop.Altered(t, pair.Access))
		if got := w.MustHear(t, "verdict").Text("verdict"); !strings.HasPrefix(got, "refused") {
			t.Errorf("%s with an altered token: %s", name, got)
		}
	}
}

// TestHAProxy: with the PEMs of the active and the pending key it is ready for the
// next rotation without being started again.
func TestHAProxy(t *testing.T) {
	for _, alg := range []string{"ES256", "RS256"} {
		t.Run(alg, func(t *testing.T) {
			s := mustServe(t, interop.Env{"SIGNING_ALG": alg})
			s.MustAddUser(t, "ada")
			dir := t.TempDir()
			pems := map[string]string{}
			var ring struct {
				Items []struct {
					ID    string `json:"kid"`
					State string
				}
			}
			s.MustCommand(t, "", nil, "keys", "export", "--state", "active,pending", "--dir", dir)
			s.MustCommand(t, "", &ring, "keys", "list")
			for _, k := range ring.Items {
				pems[k.State] = filepath.Join(dir, k.ID+".pem")
			}
			addr := testkit.MustFreeAddr(t)
			text := interop.MustRender(t, "haproxy.cfg", map[string]string{
				"127.0.0.1:8090": addr, "http://127.0.0.1:8080": s.URL, "ES256 }": alg + " }",
				"/etc/haproxy/keys/active.pem": pems["active"], "/etc/haproxy/keys/pending.pem": pems["pending"],
			})
			interop.MustStart(t, dir, nil, "haproxy", "-db", "-f", interop.MustWrite(t, "haproxy.cfg", text)).MustListen(addr)
			before := s.MustLogIn(t, "ada").Access
			s.MustCommand(t, "", nil, "keys", "rotate", "--now", "--yes")
			after := s.MustLogIn(t, "ada").Access
			if interop.Segment(t, before, 0)["kid"] == interop.Segment(t, after, 0)["kid"] {
				t.Fatal("the key did not change")
			}
			for token, want := range map[string]int{before: 200, after: 200, interop.Altered(t, after): 401, interop.Forged(t, after): 401, "": 401} {
				if got := get(t, "http://"+addr+"/", token); got != want {
					t.Errorf("%d, want %d", got, want)
				}
			}
		})
	}
}

func get(t *testing.T, url, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// TestJWCrypto: every published key, of all algorithms, is the same after somebody
// else's program has read and written it.
func TestJWCrypto(t *testing.T) {
	python := interop.MustPython(t, "jwcrypto", "python3-jwcrypto")
	s := mustServe(t, interop.Env{"SIGNING_ALG": "ES256,ES384,ES512,RS256,RS384,RS512,PS256,PS384,PS512,EdDSA"})
	res, err := http.Get(s.URL + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(text, &set); err != nil || len(set.Keys) != 20 {
		t.Fatalf("%d keys, want an active and a pending one of ten algorithms: %v", len(set.Keys), err)
	}
	cmd := exec.CommandContext(t.Context(), python, "roundtrip.py")
	cmd.Stdin = strings.NewReader(string(text))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("jwcrypto: %v", err)
	}
	var read []struct {
		JWK        map[string]any
		Thumbprint string
		Private    bool
	}
	if err := json.Unmarshal(out, &read); err != nil || len(read) != len(set.Keys) {
		t.Fatalf("%s %v", out, err)
	}
	for i, k := range set.Keys {
		same := len(k) == len(read[i].JWK) && !slices.ContainsFunc(keysOf(k), func(name string) bool { return k[name] != read[i].JWK[name] })
		if !same || read[i].Thumbprint != k["kid"] || read[i].Private {
			t.Errorf("%v was read as %+v", k, read[i])
		}
	}
}

func keysOf(m map[string]any) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names
}
