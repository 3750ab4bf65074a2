//go:build interop

// Package axios_test runs axios with the interceptor of this folder against the built
// binary. It needs npm and its registry, Node and redis-server.
package axios_test

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"tollgate/internal/testkit/interop"
)

func TestMain(m *testing.M) { interop.Main(m) }

// page is what five.mjs prints.
type page struct {
	Statuses []any
	interop.Pair
}

func mustLoad(t *testing.T, dir string, held interop.Pair, args ...string) page {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"five.mjs"}, args...)...)
	text, err := json.Marshal(map[string]string{"access": held.Access, "refresh": held.Refresh})
	if err != nil {
		t.Fatal(err)
	}
	var complaint strings.Builder
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, strings.NewReader(string(text)), &complaint
	out, err := cmd.Output()
	var p page
	if err == nil {
		err = json.Unmarshal(out, &p)
	}
	if err != nil {
		t.Fatalf("%v: %s%s", err, out, complaint.String())
	}
	return p
}

// TestFiveAtOnce: the access token is refused under a page, five requests find out
// together, each refreshes, and all are answered. One session lives, in one line.
func TestFiveAtOnce(t *testing.T) {
	dir := interop.MustInstall(t, "api.mjs", "five.mjs")
	backend := interop.MustBackend(t)
	gate := interop.MustServe(t, interop.Env{"UPSTREAM": backend.URL, "REFRESH_GRACE": "30s"}) // a busy machine may take more than five
	user := gate.MustAddUser(t, "ada")
	for _, mode := range []string{"each", "shared"} {
		t.Run(mode, func(t *testing.T) {
			before := backend.Hits()
			old := gate.MustLogIn(t, "ada")
			gate.MustCommand(t, "", nil, "revoke", "jti", interop.Claim(t, old.Access, "jti"), "--wait", "10s", "--yes")
			p := mustLoad(t, dir, old, gate.URL, mode)
			for _, status := range p.Statuses {
				if status != float64(http.StatusOK) {
					t.Errorf("answers %v, want five times 200", p.Statuses)
					break
				}
			}
			if hits := backend.Hits() - before; hits != 5 {
				t.Errorf("the back end was asked %d times, want 5: none of them by who was refused", hits)
			}
			if old.Refresh == p.Refresh || interop.Claim(t, old.Refresh, "sid") != interop.Claim(t, p.Refresh, "sid") {
				t.Error("the session was not refreshed")
			}
			checkOneLine(t, gate, user, old, p.Pair)
		})
	}
}

// checkOneLine expects one live session of the user, refreshed once, whose standing pair
// is that of the page: what was spent gives the very same one again.
func checkOneLine(t *testing.T, gate *interop.Tollgate, user string, old, held interop.Pair) {
	t.Helper()
	var sessions []struct {
		SID, State string
		Generation int
	}
	gate.MustCommand(t, "", &sessions, "sessions", "list", "--subject", user)
	live := 0
	for _, s := range sessions {
		if s.State != "live" {
			continue
		}
		if live++; s.SID != interop.Claim(t, held.Refresh, "sid") || s.Generation != 2 {
			t.Errorf("session %s of generation %d lives", s.SID, s.Generation)
		}
	}
	if live != 1 {
		t.Errorf("%d sessions live, want 1", live)
	}
	var again interop.Pair
	if status := gate.MustPost(t, "/api/token/refresh/", "", map[string]string{"refresh": old.Refresh}, &again); status != http.StatusOK {
		t.Fatalf("once more within the grace: status %d", status)
	}
	for name, pair := range map[string][2]string{"access": {again.Access, held.Access}, "refresh": {again.Refresh, held.Refresh}} {
		if interop.Claim(t, pair[0], "jti") != interop.Claim(t, pair[1], "jti") {
			t.Errorf("a second line: another %s token", name)
		}
	}
	if status := gate.MustPost(t, "/api/logout/", held.Access, map[string]string{"refresh_token": held.Refresh}, nil); status != http.StatusOK {
		t.Errorf("log-out: status %d", status)
	}
}
