package deploy_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
)

// TestAccessListRefuses: what no role of tollgate needs.
func TestAccessListRefuses(t *testing.T) {
	r := mustGuarded(t)
	if err := r.client(tester).MSet(t.Context(), "tg:s:{1}", "x", "other:1", "x", "tg:rl:{1}", "1").Err(); err != nil {
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
		// A person may look at everything but a value, and lose none by mistake.
		"operator": {
			"GET tg:s:{1}", "GET other:1", "GETRANGE tg:s:{1} 0 1", "HGETALL tg:user:{1}", "SMEMBERS tg:x", "LRANGE tg:x 0 1", "ZRANGE tg:admins 0 1", "XRANGE tg:{rev}:feed - +", "DUMP tg:s:{1}",
			"SET tg:s:{1} x", "DEL tg:s:{1}", "UNLINK tg:s:{1}", "EXPIRE tg:s:{1} 1", "RENAME tg:s:{1} x", "SORT tg:s:{1}", "OBJECT ENCODING tg:s:{1}", "MIGRATE 127.0.0.1 1 x 0 1",
			"FLUSHALL", "FLUSHDB", "SWAPDB 0 1", "KEYS *", "EVAL return(1) 0", "SCRIPT FLUSH", "FUNCTION LIST", "MODULE LIST", "DEBUG SLEEP 0", "MONITOR", "SHUTDOWN NOSAVE", "SAVE", "PSYNC ? -1",
			"ACL SETUSER x on", "ACL LIST", "ACL GETUSER operator", "ACL SAVE", "CLIENT PAUSE 1", "CLIENT NO-EVICT on", "CONFIG RESETSTAT", "SUBSCRIBE x", "PUBLISH x y", "CLUSTER RESET", "FAILOVER",
		},
	}
	for _, user := range []string{"tollgate-issuer", "tollgate-edge", "tollgate-doctor"} {
		client := r.client(user)
		for _, command := range append(slices.Clone(everybody), more[user]...) {
			refuses(t, client, user, command)
		}
	}
	for _, user := range []string{"replica", "sentinel", "operator"} {
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
	may := mustRights(t)
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

// mustRights returns what users.acl lets each user do.
func mustRights(t *testing.T) map[string]map[string]bool {
	t.Helper()
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
	return may
}

// TestShippedUsers: whatever we ship that names a user of Redis names one of the access
// list, and an edge's only where neither issuer nor admin role is on.
func TestShippedUsers(t *testing.T) {
	may, named := mustRights(t), 0
	name := regexp.MustCompile(`(?:REDIS_USERNAME[=:] ?|\b(?:edgeU|u)sername: |--user |masteruser |auth-user \w+ )([a-z][\w-]*)`)
	for _, pattern := range []string{"compose/*", "kustomize/*/*", "kustomize/*/*/*", "systemd/*", "helm/tollgate/*.md", "redis/*", "runbooks/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			if info, err := os.Stat(file); err != nil || info.IsDir() {
				continue
			}
			for _, m := range name.FindAllStringSubmatch(mustRead(t, file), -1) {
				if named++; may[m[1]] == nil {
					t.Errorf("%s: there is no user %s", file, m[1])
				}
			}
		}
	}
	if named < 30 {
		t.Errorf("only %d names", named)
	}
	for name, s := range stacks(t) {
		for service, body := range s.services {
			env, _ := at(body, "environment").(tree)
			if user := env["TOLLGATE_REDIS_USERNAME"]; user != nil {
				alone := env["TOLLGATE_ENABLE_ISSUER"] == "false" && env["TOLLGATE_ENABLE_ADMIN"] == "false"
				if want := map[bool]string{true: "tollgate-edge", false: "tollgate-issuer"}[alone]; user != want {
					t.Errorf("%s: %s is %v, not %s", name, service, user, want)
				}
			}
		}
	}
}

// TestOperatorIsExplained: each right of the user operator has its reason in the README,
// and none stands there that it has not.
func TestOperatorIsExplained(t *testing.T) {
	_, section, ok := strings.Cut(mustRead(t, "redis/README.md"), "\n## What the operator may\n")
	if !ok {
		t.Fatal("no section about the operator")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	told := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*?`) \\| (.{10,}) \\|$").FindAllStringSubmatch(section, -1) {
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			told[strings.ReplaceAll(m[1], `\|`, "|")] = true
		}
	}
	if may := mustRights(t)["operator"]; !maps.Equal(may, told) || len(may) < 20 {
		t.Errorf("operator may\n%q\nthe README says\n%q", slices.Sorted(maps.Keys(may)), slices.Sorted(maps.Keys(told)))
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
