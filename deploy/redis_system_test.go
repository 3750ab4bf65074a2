package deploy_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

// TestSystemUnderAccessList: an issuer and an edge do all that they do, each as the
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
	f.issuer.MustCommand(t, gone.Access, nil, "revoke", "token", "-", "--yes", "--wait", "5s")
	f.wantCalls(gone.Access, http.StatusUnauthorized)
	f.wantCalls(kept.Access, http.StatusOK)
	f.doctor()
	r.wantNothingRefused()

	// Somebody empties Redis: both put back what they know, and the ring with it.
	if err := r.client("operator").Do(t.Context(), "FLUSHALL").Err(); err != nil {
		t.Fatal(err)
	}
	f.wantCalls(kept.Access, http.StatusOK)
	f.wantCalls(gone.Access, http.StatusUnauthorized)
	f.issuer.MustAddUser(t, "ada")
	f.wantCalls(f.logIn("ada").Access, http.StatusOK)
	f.issuer.MustBecome("there with its ring", func() bool {
		n, err := r.client("operator").Exists(t.Context(), "tg:ring:"+f.issuer.URL).Result()
		return err == nil && n == 1
	})
	f.command("recover", "--end-all", "--yes")
	f.wantCalls(kept.Access, http.StatusUnauthorized)
	r.wantNothingRefused()
}

// accounts does what a front end does, at the issuer.
func (f *fleet) accounts(p interop.Pair) {
	f.Helper()
	var next interop.Pair
	for _, step := range []struct {
		path, token string
		body        map[string]string
		out         any
	}{
		{"/api/token/refresh/", "", map[string]string{"refresh": p.Refresh}, &next},
		{"/api/token/verify/", "", map[string]string{"token": p.Access}, nil},
		{"/api/token/sliding/", "", map[string]string{"username": "ada", "password": interop.Password}, nil},
	} {
		if status := f.issuer.MustAnswer(f.T, step.path, step.token, step.body, step.out); status != http.StatusOK {
			f.Errorf("%s: %d", step.path, status)
		}
	}
	// The session of an earlier log-in ends by its refresh token.
	other := f.logIn("ada")
	if status := f.issuer.MustAnswer(f.T, "/api/token/blacklist/", "", map[string]string{"refresh": other.Refresh}, nil); status != http.StatusOK {
		f.Errorf("blacklist: %d", status)
	}
	f.wantCalls(other.Access, http.StatusUnauthorized)
	var claims struct {
		Status struct {
			List struct{ URI string } `json:"status_list"`
		}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(p.Access, ".")[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		f.Fatalf("claims: %v", err)
	}
	for _, url := range []string{claims.Status.List.URI, f.issuer.URL + "/.well-known/revocations"} {
		res, err := http.Get(url)
		if err != nil {
			f.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			f.Errorf("%s: %d", url, res.StatusCode)
		}
	}
}

// operate does what operators do, by the commands.
func (f *fleet) operate() {
	f.Helper()
	f.issuer.MustAddUser(f.T, "bob", "--email", "bob@example.com")
	bob := f.logIn("bob")
	f.issuer.MustCommand(f.T, "another long password", nil, "users", "passwd", "bob", "--password-stdin")
	for _, command := range []string{
		"users list", "users disable bob --yes", "users enable bob", "sessions list --subject 1", "edges", "keys list", "keys rotate --now --yes",
		"clients add reports --scope shop:read", "clients list", "clients rotate-secret reports --yes", "clients revoke reports --yes", "revocations list",
		"revoke subject nobody --yes",
	} {
		f.command(strings.Fields(command)...)
	}
	f.wantCalls(bob.Access, http.StatusUnauthorized) // disabled, and another password
	var made struct{ ID string }
	f.issuer.MustCommand(f.T, "", &made, "revoke", "jti", "a-jti", "--yes")
	f.command("unrevoke", made.ID)
}

// doctor looks with the user that may only read: it sees everything but what CONFIG
// GET would tell, and the README says so.
func (f *fleet) doctor() {
	f.Helper()
	type report struct {
		Findings []struct{ Level, Check, Found string }
		Errors   int
	}
	look := func(user string) (checks []string) {
		d := *f.issuer
		d.Env = interop.Env{}
		for k, v := range f.issuer.Env {
			d.Env[k] = v
		}
		d.Env["REDIS_USERNAME"], d.Env["REDIS_PASSWORD"] = user, passwordOf(user)
		var got report
		d.MustCommand(f.T, "", &got, "doctor")
		for _, one := range got.Findings {
			if one.Level == "error" {
				f.Errorf("%s as %s: %s", one.Check, user, one.Found)
			}
			checks = append(checks, one.Check)
		}
		return checks
	}
	all, restricted := look("operator"), look("tollgate-doctor")
	if !slices.Contains(restricted, "redis.forbidden") {
		f.Errorf("the doctor does not say what it could not see: %v", restricted)
	}
	readme := mustRead(f.T, "redis/README.md")
	for _, check := range all {
		if !slices.Contains(restricted, check) && !strings.Contains(readme, "`"+check+"`") {
			f.Errorf("the doctor as tollgate-doctor does not see %s, and redis/README.md does not say so", check)
		}
	}
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
	f.issuer.MustCommand(t, p.Access, nil, "revoke", "token", "-", "--yes", "--wait", "5s")
	f.wantCalls(p.Access, http.StatusUnauthorized)
	primary.wantNothingRefused()
	replica.wantNothingRefused()
}
