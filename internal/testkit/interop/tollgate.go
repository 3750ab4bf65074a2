package interop

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"tollgate/internal/testkit"
)

// Env is TOLLGATE_* settings without their prefix.
type Env map[string]string

// Tollgate is a `tollgate serve` process.
type Tollgate struct {
	*Process
	Addr  string // host:port of the public listener
	URL   string // its base URL: http, or https where the settings name a certificate
	Admin string // base URL of the admin listener
	Ops   string // base URL of health and metrics
	Env   Env    // what it was started with
	Redis *testkit.RedisServer
	// Client speaks to the public listener; a test with a certificate of its own
	// gives one that trusts it.
	Client *http.Client
}

// MustServe starts tollgate with a redis-server of its own, or, where the
// settings have a REDIS_URL, with that one. It is ready when MustServe returns.
func MustServe(t *testing.T, settings Env) *Tollgate {
	t.Helper()
	addr := func() string { return testkit.MustFreeAddr(t) }
	sealing := make([]byte, 32)
	_, _ = rand.Read(sealing) // never fails
	g := &Tollgate{Addr: addr(), Client: http.DefaultClient}
	g.Env = Env{
		"LISTEN": g.Addr, "ADMIN_LISTEN": addr(), "OPS_LISTEN": addr(),
		"KEY_ENCRYPTION_KEY":   base64.StdEncoding.EncodeToString(sealing),
		"ADMIN_TOKEN":          rand.Text(),
		"LOGIN_RATE":           "", // all log-ins come from one address
		"REVOCATION_MAX_STALE": "1s",
		"REDIS_OP_TIMEOUT":     "5s", // what a busy machine makes late is no outage
	}
	g.URL, g.Admin, g.Ops = "http://"+g.Addr, "http://"+g.Env["ADMIN_LISTEN"], "http://"+g.Env["OPS_LISTEN"]
	if settings["TLS_CERT_FILE"] != "" {
		g.URL = "https://" + g.Addr
	}
	g.Env["ISSUER"] = g.URL
	if settings["REDIS_URL"] == "" {
		g.Redis = testkit.MustStartRedis(t)
		g.Env["REDIS_URL"] = g.Redis.URL
	}
	maps.Copy(g.Env, settings)
	g.Process = MustStart(t, t.TempDir(), g.environ(), binary, "serve")
	g.MustBecome("ready", func() bool {
		res, err := http.Get(g.Ops + "/readyz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return g
}

// environ is the settings as a process gets them.
func (g *Tollgate) environ() []string {
	var list []string
	for name, value := range g.Env {
		list = append(list, "TOLLGATE_"+name+"="+value)
	}
	return list
}

// MustCommand runs a command of tollgate against this process, as its operator
// would, and decodes what it prints into out (nil: nothing is expected). A server that
// could not tell in time is asked again.
func (g *Tollgate) MustCommand(t *testing.T, stdin string, out any, args ...string) {
	t.Helper()
	var complaint bytes.Buffer
	var text []byte
	err := g.again(func() (bool, error) {
		cmd := exec.CommandContext(t.Context(), binary, append(args, "--server", g.Admin, "-o", "json")...)
		complaint.Reset()
		cmd.Env, cmd.Stdin, cmd.Stderr = g.environ(), strings.NewReader(stdin), &complaint
		var err error
		text, err = cmd.Output()
		ended, ok := errors.AsType[*exec.ExitError](err)
		return ok && ended.ExitCode() == exitUnreachable, err
	})
	if err == nil && out != nil {
		err = json.Unmarshal(text, out)
	}
	if err != nil {
		t.Fatalf("tollgate %s: %v, %s%s", strings.Join(args, " "), err, text, complaint.String())
	}
}

// MustAddUser adds a user with a password of [Password] and returns the id that
// it was given. Flags are those of `tollgate users add`.
func (g *Tollgate) MustAddUser(t *testing.T, name string, flags ...string) string {
	t.Helper()
	var user struct{ ID string }
	g.MustCommand(t, Password, &user, append([]string{"users", "add", name, "--password-stdin"}, flags...)...)
	if user.ID == "" {
		t.Fatal("tollgate users add printed no id")
	}
	return user.ID
}

// Password of every user of a test.
const Password = "correct horse battery staple"

// Pair is what a log-in gives.
type Pair struct{ Access, Refresh string }

// MustLogIn logs a user in, as a front end does: what is 503 is asked again.
func (g *Tollgate) MustLogIn(t *testing.T, name string) Pair {
	t.Helper()
	var pair Pair
	if status := g.MustAnswer(t, "/api/token/", "", map[string]string{"username": name, "password": Password}, &pair); status != http.StatusOK {
		t.Fatalf("log in: status %d", status)
	}
	return pair
}

// MustPost sends JSON to the public listener, with a token unless it is empty,
// decodes the answer into out and returns its status.
func (g *Tollgate) MustPost(t *testing.T, path, token string, body, out any) int {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := g.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && out != nil {
		err = json.Unmarshal(answer, out)
	}
	if err != nil {
		t.Fatalf("POST %s: status %d, %v, %s", path, res.StatusCode, err, answer)
	}
	return res.StatusCode
}

// MustRevoke revokes by the command line: kind is jti, session, subject or key.
func (g *Tollgate) MustRevoke(t *testing.T, kind, value string) {
	t.Helper()
	g.MustCommand(t, "", nil, "revoke", kind, value, "--yes")
}
