package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tollgate/keys"
	"tollgate/keys/keyfile"
	"tollgate/keys/ring"
)

// mustRun runs the program with the environment of the system and returns its exit code.
func (s *system) mustRun(args ...string) int {
	s.tb.Helper()
	cmd := exec.CommandContext(s.tb.Context(), mustBinary(s.tb), args...)
	cmd.Env = append(slices.Clone(s.Env), "TOLLGATE_ADMIN_TOKEN="+rootToken)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		s.tb.Fatalf("%v: %v", args, err)
	}
	s.tb.Logf("%v: exit %d %s", args, cmd.ProcessState.ExitCode(), out)
	return cmd.ProcessState.ExitCode()
}

// signs returns the key that a log-in is signed with, "" when there is none now.
func (s *system) signs() string {
	s.tb.Helper()
	r, err := s.send("POST", s.Public+"/api/token/", map[string]string{"username": ada, "password": adaPassword})
	var p pair
	if err != nil || r.Status != http.StatusOK || json.Unmarshal([]byte(r.Body), &p) != nil {
		return ""
	}
	kid, _ := headerOf(s.tb, p.Access)["kid"].(string)
	return kid
}

// stateOf is the state of a key in the ring that a process has.
func (s *system) stateOf(kid string) string {
	s.tb.Helper()
	r := s.mustSend("GET", s.Admin+"/admin/v1/keys", nil, bearer(rootToken)...)
	var list struct {
		Items []struct {
			ID    string `json:"kid"`
			State string
		}
	}
	if err := json.Unmarshal([]byte(r.Body), &list); err != nil {
		s.tb.Fatalf("the keys: %d %s", r.Status, r.Body)
	}
	for _, k := range list.Items {
		if k.ID == kid {
			return k.State
		}
	}
	return ""
}

// wantDead: the key is revoked in the ring of the process, and another one signs.
func (s *system) wantDead(kid string) {
	s.tb.Helper()
	s.eventually("the key is dead", 20*time.Second, func() bool {
		time.Sleep(50 * time.Millisecond) // beside its own: a log-in hashes a password
		now := s.signs()
		return now != "" && now != kid && s.stateOf(kid) == "revoked"
	})
}

// By whatever door a key is revoked, no issuer of the ring signs with it from then on;
// a process that has no ring refuses, and nothing has changed.
func TestKeyDiesByEveryDoor(t *testing.T) {
	issuers := mustIssuers(t, 2, "TOLLGATE_AUDIENCE=shop-api")
	a, b := issuers[0], issuers[1]
	edge := mustEdges(t, 1, a.Redis.URL, mustFront(t, issuers).URL, "TOLLGATE_ENABLE_ADMIN=true")[0]
	a.mustAddUser(ada, adaPassword)
	post := func(s *system, path string, body any) int {
		return s.mustSend("POST", s.Admin+"/admin/v1/"+path, body, bearer(rootToken)...).Status
	}
	for door, through := range map[string]func(kid string) bool{
		"POST revocations": func(kid string) bool {
			return post(a, "revocations", map[string]string{"kind": "key", "value": kid}) == 201
		},
		"POST keys/revoke": func(kid string) bool { return post(a, "keys/"+kid+"/revoke", nil) == 200 },
		"revoke key":       func(kid string) bool { return a.mustRun("revoke", "key", kid, "--yes", "--server", a.Admin) == 0 },
		"keys revoke":      func(kid string) bool { return a.mustRun("keys", "revoke", kid, "--yes", "--server", a.Admin) == 0 },
	} {
		p := b.mustLogin(ada, adaPassword)
		kid := headerOf(t, p.Access)["kid"].(string)
		edge.eventually("takes the token", 20*time.Second, func() bool { return edge.call(p.Access).Status == http.StatusOK })
		if status := post(edge, "revocations", map[string]string{"kind": "key", "value": kid}); status != http.StatusConflict {
			t.Errorf("%s: without a ring: %d", door, status)
		}
		if b.signs() != kid || edge.call(p.Access).Status != http.StatusOK {
			t.Errorf("%s: a refused revocation has changed something", door)
		}
		if !through(kid) {
			t.Fatalf("%s: not revoked", door)
		}
		done := time.Now()
		if now := a.signs(); now == kid {
			t.Errorf("%s: the issuer that was asked signs on", door)
		}
		for b.signs() == kid && time.Since(done) < 20*time.Second {
			continue // each log-in of its own takes milliseconds
		}
		t.Logf("%s: the other issuer signs with another key %s after the answer", door, time.Since(done).Round(time.Millisecond))
		a.wantDead(kid)
		b.wantDead(kid)
		edge.eventually("refuses the token", 20*time.Second, func() bool { return edge.call(p.Access).Status == http.StatusUnauthorized })
	}
}

// A ring in a file that was put back from a backup does not bring a revoked key to
// life: what is revoked says so.
func TestBackupOfTheRing(t *testing.T) {
	dir := t.TempDir()
	s := mustSystem(t, "TOLLGATE_KEY_STORE=file:"+dir)
	s.mustAddUser(ada, adaPassword)
	kid := s.signs()
	path := filepath.Join(dir, "ring.json")
	backup, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if r := s.mustSend("POST", s.Admin+"/admin/v1/keys/"+kid+"/revoke", nil, bearer(rootToken)...); r.Status != 200 {
		t.Fatalf("revoke: %d %s", r.Status, r.Body)
	}
	s.stop()
	if err := os.WriteFile(path, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	s.mustServe()
	s.wantDead(kid)
	s.wantCall(s.mustLogin(ada, adaPassword).Access, 200, "")
}

// A key that was revoked when no ring had it is not signed with when it is imported.
func TestImportOfARevokedKey(t *testing.T) {
	for _, mode := range []string{"mirror", "lookup"} {
		t.Run(mode, func(t *testing.T) {
			s := mustSystem(t, "TOLLGATE_REVOCATION_MODE="+mode)
			s.mustAddUser(ada, adaPassword)
			private, err := ring.Generate(keys.ES256)
			if err != nil {
				t.Fatal(err)
			}
			public, err := keys.NewKey(private.Public(), keys.ES256)
			if err != nil {
				t.Fatal(err)
			}
			text, err := keyfile.PrivatePEM(private)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "leaked.pem")
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			s.mustRevoke(map[string]string{"kind": "key", "value": public.ID()})
			if code := s.mustRun("keys", "import", file, "--active", "--yes"); code != exitDone {
				t.Fatalf("import: exit %d", code)
			}
			s.wantDead(public.ID())
			s.wantCall(s.mustLogin(ada, adaPassword).Access, 200, "")
		})
	}
}
