package deploy_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	process *interop.Process
}

// passwordOf is a user's password in the tests.
func passwordOf(user string) string { return "password-of-" + user }

// aclFile writes users.acl with the hashes of the tests' passwords, as its README
// says to do it.
func aclFile(t *testing.T, dir string) string {
	t.Helper()
	text := regexp.MustCompile(`(?m)^(user (?:tollgate-)?(\S+) on #)__\w+_SHA256__`).ReplaceAllStringFunc(mustRead(t, "redis/users.acl"), func(line string) string {
		head, _, _ := strings.Cut(line, "#")
		sum := sha256.Sum256([]byte(passwordOf(strings.Fields(head)[1])))
		return head + "#" + hex.EncodeToString(sum[:])
	})
	if strings.Contains(text, "__") {
		t.Fatalf("a placeholder is left:\n%s", text)
	}
	file := filepath.Join(dir, "users.acl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
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
	r := &guarded{t: t, addr: fmt.Sprintf("127.0.0.1:%d", port)}
	args = append([]string{conf, "--port", fmt.Sprint(port), "--dir", dir, "--aclfile", aclFile(t, dir)}, args...)
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

// TestAccessListRefuses: what no role of tollgate needs.
func TestAccessListRefuses(t *testing.T) {
	r := mustGuarded(t)
	operator := r.client("operator")
	if err := operator.MSet(t.Context(), "tg:s:{1}", "x", "other:1", "x", "tg:rl:{1}", "1").Err(); err != nil {
		t.Fatal(err)
	}
	everybody := []string{
		"CONFIG GET *", "CONFIG SET maxmemory 1", "FLUSHALL", "FLUSHDB", "KEYS *", "DEBUG SLEEP 0", "SHUTDOWN NOSAVE", "ACL LIST", "ACL SETUSER x on",
		"CLIENT LIST", "CLIENT KILL TYPE normal", "MONITOR", "SAVE", "BGREWRITEAOF", "REPLICAOF NO ONE", "SCRIPT FLUSH", "FUNCTION LIST", "SWAPDB 0 1",
		"MIGRATE 127.0.0.1 1 x 0 1", "RENAME tg:s:{1} x", "RESTORE x 0 x", "DUMP tg:s:{1}", "COPY tg:s:{1} x", "OBJECT ENCODING tg:s:{1}", "PUBLISH x y", "SUBSCRIBE x", "SORT tg:s:{1}",
		"GET other:1", "SET other:1 x", "DEL other:1", "EVAL return(1) 1 other:1",
	}
	more := map[string][]string{
		"tollgate-edge": {
			"GET tg:s:{1}", "HGETALL tg:user:{1}", "HGETALL tg:ring:https://auth.example.com", "SET tg:s:{1} x", "DEL tg:s:{1}", "SCAN 0", "GET tg:client:{1}",
			"EVAL return(redis.call('GET','tg:s:{1}')) 1 tg:s:{1}",
		},
		"tollgate-doctor": {"SET tg:s:{1} x", "DEL tg:s:{1}", "EXPIRE tg:s:{1} 1", "EVAL return(redis.call('DEL',KEYS[1])) 1 tg:s:{1}", "XADD tg:{rev}:feed * a b", "SCAN 0", "WAIT 0 0"},
		"replica":         {"GET tg:s:{1}", "INFO"},
		"sentinel":        {"GET tg:s:{1}", "EVAL return(1) 0"},
	}
	for _, user := range []string{"tollgate-issuer", "tollgate-edge", "tollgate-doctor"} {
		client := r.client(user)
		for _, command := range append(slices.Clone(everybody), more[user]...) {
			refuses(t, client, user, command)
		}
	}
	for _, user := range []string{"replica", "sentinel"} {
		for _, command := range more[user] {
			refuses(t, r.client(user), user, command)
		}
	}
	if err := r.client("tollgate-issuer").Get(t.Context(), "tg:s:{1}").Err(); err != nil {
		t.Errorf("the issuer reads its own: %v", err)
	}
	if err := r.client("tollgate-edge").Get(t.Context(), "tg:rl:{1}").Err(); err != nil {
		t.Errorf("an edge counts rates: %v", err)
	}
	nobody := redis.NewClient(&redis.Options{Addr: r.addr, DisableIdentity: true, Protocol: 2})
	t.Cleanup(func() { _ = nobody.Close() })
	if err := nobody.Ping(t.Context()).Err(); !redis.HasErrorPrefix(err, "NOAUTH") {
		t.Errorf("without a password: %v", err)
	}
}

func refuses(t *testing.T, client *redis.Client, user, command string) {
	t.Helper()
	var args []any
	for _, word := range strings.Fields(command) {
		args = append(args, word)
	}
	err := client.Do(t.Context(), args...).Err()
	if err == nil {
		t.Errorf("%s: %s is allowed", user, command)
		return
	}
	// DEBUG is refused to everybody before the list is asked; what a script is
	// refused comes back in other words, by version.
	for _, want := range []string{"NOPERM", "DEBUG command not allowed", "can't run this command", "ACL failure in script", "can't access"} {
		if strings.Contains(err.Error(), want) {
			return
		}
	}
	t.Errorf("%s: %s: %v", user, command, err)
}

// TestAccessListCoversSources: each command that a role sends, itself or by a
// script, is one that its user may use.
func TestAccessListCoversSources(t *testing.T) {
	may := map[string]map[string]bool{}
	for line := range strings.Lines(mustRead(t, "redis/users.acl")) {
		words := strings.Fields(line)
		may[words[1]] = map[string]bool{}
		for _, w := range words {
			if command, ok := strings.CutPrefix(w, "+"); ok {
				may[words[1]][command] = true
			}
		}
	}
	known := map[string]bool{}
	names, err := testkit.MustClient(t, testkit.MustStartRedis(t).Addr).Do(t.Context(), "COMMAND", "LIST").StringSlice()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		known[name] = true
	}
	for user, folders := range map[string][]string{
		"tollgate-issuer": {"revocation", "issuer", "keys", "internal/ratelimit"},
		"tollgate-edge":   {"revocation", "internal/ratelimit"},
	} {
		seen := 0
		for _, folder := range folders {
			for command, where := range mustCommands(t, filepath.Join("..", folder)) {
				if !known[command] {
					continue // a method of the client's that is no command
				}
				if seen++; !may[user][command] {
					t.Errorf("%s may not use %s, which %s needs", user, command, where)
				}
			}
		}
		if seen < 20 {
			t.Errorf("%s: only %d commands were found", user, seen)
		}
	}
}

var (
	inScript = regexp.MustCompile(`redis\.p?call\(\s*['"]([A-Za-z]+)`)
	inSource = regexp.MustCompile(`\b(?:client|Client|pipe|tx|node|conn|p)\.([A-Z][A-Za-z]+)\(ctx`)
)

// mustCommands returns what may be a command in a folder's scripts and sources, with
// a file that has it.
func mustCommands(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		pattern := inSource
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), "revocation") && name != folder: // its tests
			return fs.SkipDir
		case filepath.Ext(name) == ".lua":
			pattern = inScript
		case filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		for _, m := range pattern.FindAllStringSubmatch(mustRead(t, name), -1) {
			command := strings.ToLower(m[1])
			for _, tail := range []string{"args", "withscores"} { // ZRangeArgs is ZRANGE
				command = strings.TrimSuffix(command, tail)
			}
			found[command] = name
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// fleet is an issuer and an edge on one guarded Redis, before one back end.
type fleet struct {
	*testing.T
	redis        *guarded
	issuer, edge *interop.Tollgate
}

func mustFleet(t *testing.T, r *guarded, more interop.Env) *fleet {
	t.Helper()
	backend := interop.MustBackend(t)
	routes := interop.MustWrite(t, "routes.yaml", "version: 1\nupstreams:\n  app: { urls: [\"http://"+backend.Addr+"\"] }\nroutes:\n"+
		"  - { name: rated, match: { path: /rated/ }, upstream: app, limits: { rate: 100/s, per: subject } }\n"+
		"  - { name: app, match: { path: / }, upstream: app }\n")
	start := func(user string, settings interop.Env) *interop.Tollgate {
		for _, add := range []interop.Env{more, r.settings(user), {"ROUTES_FILE": routes}} {
			for k, v := range add {
				if settings[k] == "" {
					settings[k] = v
				}
			}
		}
		return interop.MustServe(t, settings)
	}
	f := &fleet{T: t, redis: r}
	address := fmt.Sprintf("127.0.0.1:%d", testkit.MustFreePort(t))
	f.issuer = start("tollgate-issuer", interop.Env{"STATUS_LIST": "true", "LISTEN": address, "PUBLIC_URL": "http://" + address, "ISSUER": "http://" + address, "LOGIN_RATE": "1000/s"})
	f.issuer.URL = "http://" + address
	trusted := interop.MustWrite(t, "issuers.yaml", "issuers:\n  - { issuer: \""+f.issuer.URL+"\", jwks_url: \""+f.issuer.URL+"/.well-known/jwks.json\" }\n")
	f.edge = start("tollgate-edge", interop.Env{"ENABLE_ISSUER": "false", "ENABLE_ADMIN": "false", "ISSUER": f.issuer.URL, "TRUSTED_ISSUERS_FILE": trusted})
	return f
}

// wantCalls waits until both say so of a token.
func (f *fleet) wantCalls(token string, status int) {
	f.Helper()
	for name, base := range map[string]string{"issuer": f.issuer.URL, "edge": f.edge.Env["LISTEN"]} {
		base = "http://" + strings.TrimPrefix(base, "http://")
		for _, path := range []string{"/x", "/rated/x"} {
			f.issuer.MustBecome(fmt.Sprintf("at %d for %s at the %s", status, path, name), func() bool {
				req, err := http.NewRequestWithContext(f.Context(), http.MethodGet, base+path, http.NoBody)
				if err != nil {
					f.Fatal(err)
				}
				req.Header.Set("Authorization", "Bearer "+token)
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					return false
				}
				res.Body.Close()
				return res.StatusCode == status
			})
		}
	}
}

// logIn logs a user in.
func (f *fleet) logIn(name string) interop.Pair {
	f.Helper()
	return f.issuer.MustLogIn(f.T, name)
}

// command runs a command of tollgate against the issuer.
func (f *fleet) command(args ...string) {
	f.Helper()
	f.issuer.MustCommand(f.T, "", nil, args...)
}
