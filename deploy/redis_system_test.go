package deploy_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

// TestSystemUnderAccessList: an issuer and two edges do all that they do, each as the
// user of its role, and the access list has nothing to refuse.
func TestSystemUnderAccessList(t *testing.T) {
	r := mustGuarded(t)
	f := mustFleet(t, r, nil)
	f.issuer.MustAddUser(t, "ada")
	kept, gone := f.logIn("ada"), f.logIn("ada")
	f.wantCalls(kept.Access, http.StatusOK)
	f.wantCalls(gone.Access, http.StatusOK)

	f.accounts(kept)
	f.operate()
	f.issuer.MustCommand(t, gone.Access, nil, "revoke", "token", "-", "--yes", "--wait", "20s")
	f.wantCalls(gone.Access, http.StatusUnauthorized)
	f.wantCalls(kept.Access, http.StatusOK)
	f.doctor()
	for _, p := range f.processes() {
		p.MustCommand(t, "", nil, "healthcheck")
	}
	r.wantNothingRefused()

	// Somebody empties Redis: both put back what they know, and the ring with it.
	if err := r.client(tester).Do(t.Context(), "FLUSHALL").Err(); err != nil {
		t.Fatal(err)
	}
	f.wantCalls(kept.Access, http.StatusOK)
	f.wantCalls(gone.Access, http.StatusUnauthorized)
	f.issuer.MustAddUser(t, "ada")
	f.wantCalls(f.logIn("ada").Access, http.StatusOK)
	f.issuer.MustBecome("there with its ring", func() bool {
		n, err := r.client(tester).Exists(t.Context(), "tg:ring:"+f.issuer.URL).Result()
		return err == nil && n == 1
	})
	f.command("recover", "--accept-loss", "--yes")
	f.command("recover", "--end-all", "--yes")
	f.wantCalls(kept.Access, http.StatusUnauthorized)
	for _, p := range f.processes() { // an edge that ends takes itself out of the register
		p.Stop()
	}
	r.wantNothingRefused()
}

// TestSentinelUnderAccessList: a primary, its replica and a Sentinel find each other
// by the users of the access list, and a revocation waits for the replica.
func TestSentinelUnderAccessList(t *testing.T) {
	primary := mustGuarded(t, "--masteruser", "replica", "--masterauth", passwordOf("replica"), "--min-replicas-to-write", "1")
	host, port, _ := strings.Cut(primary.addr, ":")
	replica := mustGuarded(t, "--masteruser", "replica", "--masterauth", passwordOf("replica"), "--replicaof", host+" "+port)
	primary.process.MustBecome("followed", func() bool {
		info, err := primary.client("operator").Info(t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "state=online")
	})
	dir, sentinelPort := t.TempDir(), testkit.MustFreePort(t)
	conf := mustRead(t, "redis/sentinel.conf")
	for old, with := range map[string]string{
		"monitor tollgate 127.0.0.1 6379 2": "monitor tollgate " + host + " " + port + " 1",
		"port 26379":                        fmt.Sprintf("port %d", sentinelPort),
		"dir /var/lib/redis":                "dir " + dir, "__SENTINEL_PASSWORD__": passwordOf("sentinel"),
	} {
		if !strings.Contains(conf, old) {
			t.Fatalf("sentinel.conf has no %q", old)
		}
		conf = strings.Replace(conf, old, with, 1)
	}
	file := filepath.Join(dir, "sentinel.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := interop.MustStart(t, dir, nil, "redis-server", file, "--sentinel")
	where := fmt.Sprintf("%s:%d", host, sentinelPort)
	sentinel.MustListen(where)
	asked := testkit.MustClient(t, where)
	sentinel.MustBecome("in sight of both", func() bool {
		text, err := asked.Info(t.Context(), "sentinel").Result()
		return err == nil && strings.Contains(text, "name=tollgate,status=ok,") && strings.Contains(text, ",slaves=1,")
	})
	f := mustFleet(t, primary, interop.Env{"REDIS_MIN_REPLICAS_ACK": "1", "REDIS_URL": "redis+sentinel://" + where + "/tollgate/0"})
	f.issuer.MustAddUser(t, "ada")
	p := f.logIn("ada")
	f.wantCalls(p.Access, http.StatusOK)
	f.issuer.MustCommand(t, p.Access, nil, "revoke", "token", "-", "--yes", "--wait", "20s")
	f.wantCalls(p.Access, http.StatusUnauthorized)
	primary.wantNothingRefused()
	replica.wantNothingRefused()
}
