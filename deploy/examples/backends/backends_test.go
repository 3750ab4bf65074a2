//go:build interop

// Package backends_test runs this folder's applications behind tollgate: Debian's
// FastAPI, npm's Express, a Go program. It needs npm and its registry, and Debian's
// python3-fastapi, python3-uvicorn, python3-jwt, python3-cryptography and redis-server.
package backends_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

func TestMain(m *testing.M) { interop.Main(m) }

func TestFastAPI(t *testing.T) {
	run(t, true, func(issuer, port string) {
		python := interop.MustPython(t, "fastapi, uvicorn, jwt, cryptography", "python3-fastapi python3-uvicorn python3-jwt python3-cryptography")
		here, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		interop.MustStart(t, here, append(environ(issuer, port), "PYTHONDONTWRITEBYTECODE=1"), python, "-m", "uvicorn", "fastapi_app:app", "--port", port).
			MustListen("127.0.0.1:" + port)
	})
}

func TestExpress(t *testing.T) {
	run(t, true, func(issuer, port string) {
		dir := interop.MustInstall(t, "express_app.mjs")
		interop.MustStart(t, dir, environ(issuer, port), "node", "express_app.mjs").MustListen("127.0.0.1:" + port)
	})
}

func TestGo(t *testing.T) {
	run(t, false, func(_, port string) {
		program := filepath.Join(t.TempDir(), "whoami")
		interop.MustRun(t, ".", nil, "go", "build", "-o", program, "./whoami")
		interop.MustStart(t, ".", nil, program, "-listen", "127.0.0.1:"+port).MustListen("127.0.0.1:" + port)
	})
}

func environ(issuer, port string) []string {
	return []string{"ISSUER=" + issuer, "AUDIENCE=shop", "PORT=" + port}
}

// run asks an application through tollgate and past it; checks says that it checks
// tokens itself as well.
func run(t *testing.T, checks bool, start func(issuer, port string)) {
	port := fmt.Sprint(testkit.MustFreePort(t))
	app := "127.0.0.1:" + port
	gate := interop.MustServe(t, interop.Env{
		"ROUTES_FILE": interop.MustWrite(t, "routes.yaml", interop.MustRender(t, "routes.yaml", map[string]string{"127.0.0.1:8000": app})),
		"AUDIENCE":    "shop",
	})
	start(gate.URL, port)
	id := gate.MustAddUser(t, "ada", "--id", "4711")
	pair := gate.MustLogIn(t, "ada")
	paths := []string{"/who"}
	if checks {
		paths = append(paths, "/me")
	}
	for _, path := range paths {
		wantUser(t, gate.Addr, path, id, interop.Bearer(pair.Access))
		wantUser(t, gate.Addr, path, id, interop.Bearer(pair.Access), "X-User-Id: 1", "x_user_id: 1")
		wantStatus(t, gate.Addr, path, http.StatusUnauthorized, "X-User-Id: 1")
		wantStatus(t, gate.Addr, path, http.StatusUnauthorized, interop.Bearer(pair.Refresh))
	}
	if checks { // past tollgate, where nobody but it should come
		wantUser(t, app, "/me", id, interop.Bearer(pair.Access), "X-User-Id: 1")
		wantStatus(t, app, "/me", http.StatusUnauthorized)
		wantStatus(t, app, "/me", http.StatusUnauthorized, interop.Bearer(pair.Refresh))
		wantStatus(t, app, "/me", http.StatusUnauthorized, interop.Bearer(interop.Forged(t, pair.Access)))
	}
	if checks { // without keys nobody can say: neither 200 nor 401
		lost := fmt.Sprint(testkit.MustFreePort(t))
		start(fmt.Sprintf("http://127.0.0.1:%d", testkit.MustFreePort(t)), lost)
		wantStatus(t, "127.0.0.1:"+lost, "/me", http.StatusServiceUnavailable, interop.Bearer(pair.Access))
	}
	gate.MustRevoke(t, "jti", interop.Claim(t, pair.Access, "jti"))
	for _, path := range paths {
		wantStatus(t, gate.Addr, path, http.StatusUnauthorized, interop.Bearer(pair.Access))
	}
	if checks { // who asks no gateway cannot know
		wantUser(t, app, "/me", id, interop.Bearer(pair.Access))
	}
}

func wantUser(t *testing.T, addr, path, id string, lines ...string) {
	t.Helper()
	a := interop.MustSend(t, addr, "GET", path, lines...)
	var got struct{ User string }
	if err := json.NewDecoder(strings.NewReader(string(a.Body))).Decode(&got); err != nil || a.Status != http.StatusOK || got.User != id {
		t.Errorf("%s at %s: status %d, user %q, want %q: %s", path, addr, a.Status, got.User, id, a.Body)
	}
}

func wantStatus(t *testing.T, addr, path string, want int, lines ...string) {
	t.Helper()
	if a := interop.MustSend(t, addr, "GET", path, lines...); a.Status != want {
		t.Errorf("%s at %s: status %d, want %d: %s", path, addr, a.Status, want, a.Body)
	}
}
