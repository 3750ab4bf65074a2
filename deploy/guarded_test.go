package deploy_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

// guarded is a redis-server that runs with the configuration and the access list of
// redis/.
type guarded struct {
	t       *testing.T
	addr    string
	acl     string // its users.acl
	process *interop.Process
}

// passwordOf is a user's password in the tests.
func passwordOf(user string) string { return "password-of-" + user }

// tester may do everything: it is who empties a Redis, and who looks behind. No such
// user is in the list that we ship.
const tester = "tester"

// hashOf is how an access list keeps a user's password.
func hashOf(user string) string {
	sum := sha256.Sum256([]byte(passwordOf(user)))
	return "#" + hex.EncodeToString(sum[:])
}

// shippedACL is users.acl with the hashes of the tests' passwords, as its README says
// to do it.
func shippedACL(t *testing.T) string {
	t.Helper()
	text := regexp.MustCompile(`(?m)^(user (?:tollgate-)?(\S+) on #)__\w+_SHA256__`).ReplaceAllStringFunc(mustRead(t, "redis/users.acl"), func(line string) string {
		head, _, _ := strings.Cut(line, "#")
		return head + hashOf(strings.Fields(head)[1])
	})
	if strings.Contains(text, "__") {
		t.Fatalf("a placeholder is left:\n%s", text)
	}
	return text
}

// mustGuarded starts one; further arguments go to the server and win over the file.
func mustGuarded(t *testing.T, args ...string) *guarded {
	t.Helper()
	mustTool(t, "redis-server", "redis-server")
	conf, err := filepath.Abs("redis/redis.conf")
	if err != nil {
		t.Fatal(err)
	}
	dir, port := t.TempDir(), testkit.MustFreePort(t)
	r := &guarded{t: t, addr: fmt.Sprintf("127.0.0.1:%d", port), acl: filepath.Join(dir, "users.acl")}
	mustPlace(t, r.acl, shippedACL(t)+"user "+tester+" on "+hashOf(tester)+" allchannels ~* +@all\n")
	args = append([]string{conf, "--port", fmt.Sprint(port), "--dir", dir, "--aclfile", r.acl}, args...)
	r.process = interop.MustStart(t, dir, nil, "redis-server", args...)
	r.process.MustListen(r.addr)
	r.process.MustBecome("loaded", func() bool { return r.client("operator").Ping(t.Context()).Err() == nil })
	return r
}

// client speaks as one of the users.
func (r *guarded) client(user string) *redis.Client {
	c := redis.NewClient(&redis.Options{
		Addr: r.addr, Username: user, Password: passwordOf(user), DisableIdentity: true, Protocol: 2,
		ReadTimeout: 10 * time.Second, MaxRetries: -1,
	})
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// mustShip leaves exactly the access list that we ship, as an operator puts a changed
// one in force.
func (r *guarded) mustShip() {
	r.t.Helper()
	mustPlace(r.t, r.acl, shippedACL(r.t))
	if err := r.client("operator").Do(r.t.Context(), "ACL", "LOAD").Err(); err != nil {
		r.t.Fatal(err)
	}
	if err := r.client(tester).Ping(r.t.Context()).Err(); !redis.HasErrorPrefix(err, "WRONGPASS") {
		r.t.Fatalf("the test's own user is still there: %v", err)
	}
	if err := r.client("operator").Do(r.t.Context(), "ACL", "LOG", "RESET").Err(); err != nil { // of that question
		r.t.Fatal(err)
	}
}

// settings are those of a tollgate that speaks as one of the users.
func (r *guarded) settings(user string) interop.Env {
	return interop.Env{"REDIS_URL": "redis://" + r.addr + "/0", "REDIS_USERNAME": user, "REDIS_PASSWORD": passwordOf(user)}
}

// wantNothingRefused looks at what the access list has refused. CONFIG GET is asked
// at each start, for the doctor's findings, and done without.
func (r *guarded) wantNothingRefused() {
	r.t.Helper()
	entries, err := r.client("operator").ACLLog(r.t.Context(), 256).Result()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Reason != "command" || e.Object != "config|get" {
			r.t.Errorf("refused to %s: %s %s (%s)", e.Username, e.Reason, e.Object, e.Context)
		}
	}
}
