package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/issuer/store"
	"tollgate/keys/keyfile"
	"tollgate/keys/ring"
)

// keysByCommand sets the variables of a key store, and returns a file with a private key.
func keysByCommand(t *testing.T, settings map[string]string) (file string) {
	t.Helper()
	for name, value := range settings {
		t.Setenv(name, value)
	}
	t.Setenv("TOLLGATE_ISSUER", testIssuer)
	t.Setenv("TOLLGATE_KEY_ENCRYPTION_KEY", testSealing)
	pair, err := ring.InProcess{}.Generate(t.Context(), "ES256")
	if err != nil {
		t.Fatal(err)
	}
	text, err := keyfile.PrivatePEM(pair.Private)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestKeyCommandsAreAudited: what works on the key store in Redis leaves a line in the
// log that the admin API shows: who, where, what and how it ended.
func TestKeyCommandsAreAudited(t *testing.T) {
	s := mustSystem(t)
	file := keysByCommand(t, map[string]string{"TOLLGATE_REDIS_URL": s.Redis.URL})
	private := filepath.Join(t.TempDir(), "private.pem")
	other := strings.TrimSuffix(testSealing, "=")[:40] + "AAA="
	for _, c := range []struct {
		args            []string
		code            int
		outcome, detail string
		action, target  string
		sealing         string
	}{
		{[]string{"keys", "import", file, "--kid", "brought"}, exitDone, "done", "", "key.import", "brought", ""},
		{[]string{"keys", "import", file}, exitRefused, "refused", "exists", "key.import", "", ""},
		{[]string{"keys", "export", "--private", "brought", "--out", private}, exitDone, "done", "", "key.export", "brought", ""},
		{[]string{"keys", "export", "--private", "brought", "--out", private}, exitRefused, "refused", "exists", "key.export", "brought", ""},
		{[]string{"keys", "export", "--private", "--out", private + "2", "--", "-nobody"}, exitNotFound, "refused", "not_found", "key.export", "-nobody", ""},
		{[]string{"keys", "reseal", "--yes"}, exitDone, "done", "", "key.reseal", testIssuer, ""},
		{[]string{"keys", "reseal", "--yes"}, exitUsage, "refused", "invalid", "key.reseal", testIssuer, other},
	} {
		if c.sealing != "" {
			t.Setenv("TOLLGATE_KEY_ENCRYPTION_KEY", c.sealing)
		}
		if code, _, errOut := tell("", c.args...); code != c.code {
			t.Fatalf("%q: exit %d, want %d: %s", c.args, code, c.code, errOut)
		}
		var page struct{ Items []auditItem }
		admin := &adminClient{base: s.Admin, token: rootToken, http: http.DefaultClient}
		if err := admin.call(t.Context(), http.MethodGet, "/admin/v1/audit?actor=command&limit=1", nil, &page); err != nil || len(page.Items) != 1 {
			t.Fatalf("%q: %v, %v", c.args, page, err)
		}
		l := page.Items[0]
		who, host := whoseCommand()
		if l.Action != c.action || l.Outcome != c.outcome || l.Detail != c.detail || l.Target != c.target && c.target != "" || l.Target == "" ||
			l.Actor != who+"@"+host || l.Remote != host || l.Via != "command" || l.Role != "" {
			t.Errorf("%q: %+v", c.args, l)
		}
	}
	if text, err := os.ReadFile(private); err != nil || !bytes.Contains(text, []byte("PRIVATE KEY")) {
		t.Errorf("%q, %v", text, err)
	}
}

// TestNoKeyWithoutItsLine: what the audit log cannot take is not done.
func TestNoKeyWithoutItsLine(t *testing.T) {
	r := testkit.MustStartRedis(t)
	file := keysByCommand(t, map[string]string{"TOLLGATE_REDIS_URL": r.URL})
	if code, _, errOut := tell("", "keys", "import", file, "--kid", "first"); code != exitDone {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	client := testkit.MustClient(t, r.Addr)
	before := allKeys(t, client)
	if err := client.Del(t.Context(), "tg:{audit}:actions").Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.Set(t.Context(), "tg:{audit}:actions", "no stream", 0).Err(); err != nil {
		t.Fatal(err)
	}
	private := filepath.Join(t.TempDir(), "private.pem")
	for _, args := range [][]string{
		{"keys", "import", file, "--kid", "second"}, {"keys", "reseal", "--yes"}, {"keys", "export", "--private", "first", "--out", private},
	} {
		code, out, errOut := tell("", args...)
		if code != exitUnreachable || out != "" || !strings.Contains(errOut, "nothing was done") {
			t.Errorf("%q: exit %d %q %q", args, code, out, errOut)
		}
	}
	if _, err := os.Stat(private); err == nil {
		t.Error("the private key left")
	}
	if after := allKeys(t, client); after != before {
		t.Errorf("the ring was changed:\n%s\n%s", before, after)
	}
}

// allKeys is the sealed ring as it is in Redis.
func allKeys(t *testing.T, client redis.UniversalClient) string {
	t.Helper()
	var out strings.Builder
	names, err := client.Keys(t.Context(), "tg:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names) // KEYS has no order: a dictionary that grows shuffles it
	for _, name := range names {
		if strings.Contains(name, "{audit}") {
			continue
		}
		text, err := client.Dump(t.Context(), name).Result()
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString(name + " " + text + "\n")
	}
	if out.Len() == 0 {
		t.Fatal("there is no ring")
	}
	return out.String()
}

// TestCommandsKeepTheLog: a shell that knows nothing of TOLLGATE_AUDIT_LINES and _AGE
// takes nothing away from a longer log.
func TestCommandsKeepTheLog(t *testing.T) {
	r := testkit.MustStartRedis(t, "--stream-node-max-entries", "1")
	client := testkit.MustClient(t, r.Addr)
	const lines = 20
	for i := range lines { // of 1970
		line := &redis.XAddArgs{Stream: "tg:{audit}:actions", ID: "1-" + strconv.Itoa(i+1), Values: []string{"action", "old"}}
		if err := client.XAdd(t.Context(), line).Err(); err != nil {
			t.Fatal(err)
		}
	}
	file := keysByCommand(t, map[string]string{"TOLLGATE_REDIS_URL": r.URL})
	if code, _, errOut := tell("", "keys", "import", file); code != exitDone {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	if n := client.XLen(t.Context(), "tg:{audit}:actions").Val(); n != lines+2 {
		t.Errorf("%d lines of %d", n, lines+2)
	}
}

// TestKeyFilesHaveNoAuditLog: nothing is asked of a Redis that may not be there.
func TestKeyFilesHaveNoAuditLog(t *testing.T) {
	file := keysByCommand(t, map[string]string{"TOLLGATE_KEY_STORE": "file:" + t.TempDir(), "TOLLGATE_REDIS_URL": "redis://127.0.0.1:1/0"})
	for _, args := range [][]string{{"keys", "import", file, "--kid", "k"}, {"keys", "reseal", "--yes"}, {"keys", "export", "--private", "k", "--out", file + ".out"}} {
		if code, _, errOut := tell("", args...); code != exitDone {
			t.Errorf("%q: exit %d: %s", args, code, errOut)
		}
	}
	for _, kid := range []string{".", ".."} {
		if code, _, errOut := tell("", "keys", "import", file, "--kid", kid); code != exitUsage || !strings.Contains(errOut, "--kid") {
			t.Errorf("kid %q: exit %d: %s", kid, code, errOut)
		}
	}
}

// TestUnsettledIsTold: an outcome that cannot be written changes nothing about what was
// done; whoever sees the terminal is told.
func TestUnsettledIsTold(t *testing.T) {
	mini, client := testkit.MustMini(t)
	k := &keysAtHand{audit: store.NewAudit(client, "tg:", untrimmed())}
	var warned bytes.Buffer
	done := false
	err := k.audited(context.Background(), &warned, actionReseal, "ring", testIssuer, func() error {
		done = true
		mini.Close()
		return nil
	})
	if err != nil || !done || !strings.Contains(warned.String(), "stays begun") {
		t.Errorf("%v, %t, %q", err, done, warned.String())
	}
}
