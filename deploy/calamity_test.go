package deploy_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

// calamity is a system to which happened what runbooks are about, and what stands in
// for the machine that it would run on.
type calamity struct {
	gate     *interop.Tollgate
	redis    *guarded
	routes   string // the file
	backend  *interop.Backend
	bin      string // folder of what comes first on PATH
	journal  string // file of what the gate has printed
	token    string // one that is refused
	certs    *interop.Certificate
	sentinel *testkit.RedisSentinel // beside, for what is asked of Sentinels
	cluster  *testkit.RedisCluster  // and of a Cluster
	// prometheus is the address of one that has looked at the gate; empty where there
	// is none.
	prometheus string
}

func mustCalamity(t *testing.T) *calamity {
	t.Helper()
	mustTools(t, "jq", "jq", "curl", "curl", "ss", "iproute2", "openssl", "openssl", "redis-cli", "redis-tools", "bash", "bash")
	c := &calamity{redis: mustGuarded(t), sentinel: testkit.MustStartSentinel(t), cluster: testkit.MustStartCluster(t), backend: interop.MustBackend(t), bin: t.TempDir(), certs: interop.MustCertificate(t)}
	c.journal = filepath.Join(c.bin, "journal")
	dead := testkit.MustFreeAddr(t)
	c.routes = interop.MustWrite(t, "routes.yaml", "version: 1\nupstreams:\n  app: { urls: [\"http://"+c.backend.Addr+"\"] }\n"+
		"  dead: { urls: [\"http://"+dead+"\"] }\n  ill: { urls: [\"http://"+c.backend.Addr+"\", \"http://"+dead+"\"], health: { path: /healthz, every: 1s } }\n"+
		"routes:\n  - { name: dead, match: { path: /dead/ }, upstream: dead, auth: { mode: none } }\n"+
		"  - { name: ill, match: { path: /ill/ }, upstream: ill, auth: { mode: none } }\n  - { name: app, match: { path: / }, upstream: app }\n")
	issuers := interop.MustWrite(t, "issuers.yaml", "issuers:\n  - { issuer: \"http://"+dead+"\", jwks_url: \"http://"+dead+"/jwks.json\", audiences: [a], algorithms: [ES256] }\n")
	settings := interop.Env{
		"ROUTES_FILE": c.routes, "ROUTES_POLL": "100ms", "TRUSTED_ISSUERS_FILE": issuers, "REFRESH_GRACE": "1ms", "LOGIN_RATE": "1000/s", "JWKS_MIN_REFETCH": "1s",
	}
	maps.Copy(settings, c.redis.settings("tollgate-issuer"))
	c.gate = interop.MustServe(t, settings)
	c.happen(t, dead)
	c.redis.mustShip()
	for _, n := range c.cluster.Nodes {
		mustRule(t, n.Addr)
	}
	c.stand(t)
	c.watch(t)
	return c
}

// happen makes happen what the runbooks look for.
func (c *calamity) happen(t *testing.T, dead string) {
	t.Helper()
	g := c.gate
	if err := c.redis.client(tester).Do(t.Context(), "FLUSHALL").Err(); err != nil {
		t.Fatal(err)
	}
	g.MustBecome("aware of the loss", func() bool { return strings.Contains(g.Output(), "lost") })
	g.MustAddUser(t, "ada")
	if status := g.MustAnswer(t, "/api/token/", "", map[string]string{"username": "ada", "password": "wrong"}, nil); status != http.StatusUnauthorized {
		t.Fatalf("a wrong password: %d", status)
	}
	pair := g.MustLogIn(t, "ada")
	refresh := func() int {
		return g.MustAnswer(t, "/api/token/refresh/", "", map[string]string{"refresh": pair.Refresh}, nil)
	}
	refresh()
	g.MustBecome("asked for a spent refresh token", func() bool { return refresh() == http.StatusUnauthorized })
	c.token = g.MustLogIn(t, "ada").Access
	g.MustAnswerWith(g.URL+"/x", c.token, http.StatusOK)
	g.MustCommand(t, c.token, nil, "revoke", "token", "-", "--yes", "--wait", "20s")
	for path, want := range map[string]int{"/x": http.StatusUnauthorized, "/dead/x": http.StatusBadGateway, "/ill/x": http.StatusOK} {
		g.MustAnswerWith(g.URL+path, c.token, want)
	}
	// A token of the issuer whose keys cannot be had.
	unknown := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","kid":"k","typ":"JWT"}`)) + "." +
		base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"iss":"http://%s","aud":"a","sub":"1","jti":"j","iat":1,"exp":4102444800}`, dead)) + "." + strings.Repeat("A", 86)
	g.MustAnswerWith(g.URL+"/x", unknown, http.StatusServiceUnavailable)
	good := mustRead(t, c.routes)
	for _, text := range []string{"version: 9\n", good} {
		if err := os.WriteFile(c.routes, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		g.MustBecome("aware of a bad file", func() bool { return strings.Contains(g.Output(), "was not reloaded") })
	}
	g.MustBecome("aware of a dead back end", func() bool { return strings.Contains(g.Output(), "upstream target") })
}

// stand puts up what the commands find on an operator's machine: tollgate itself with
// the addresses of this system, and a journal that is what the process has printed,
// behind a line of systemd's own.
func (c *calamity) stand(t *testing.T) {
	t.Helper()
	scripts := map[string]string{
		"tollgate": "case \"$1\" in revocations|audit|edges|keys|token) exec " + built + " \"$@\" --server " + c.gate.Admin + ";; esac\nexec " + built + " \"$@\"\n",
		"journalctl": `form=short
while [ $# -gt 0 ]; do
  case "$1" in
    -u) [ "$2" = tollgate ] || exit 2; shift ;;
    --since|-n) [ -n "$2" ] || exit 2; shift ;;
    -o) form=$2; shift ;;
    --no-pager) ;;
    *) echo "journalctl: $1?" >&2; exit 2 ;;
  esac
  shift
done
if [ "$form" = cat ]; then echo 'Started tollgate.service - a token gateway.'; exec cat ` + c.journal + `; fi
exec sed 's/^/Nov 22 03:00:00 gate-1 tollgate[1]: /' ` + c.journal + "\n",
		"pidof": "echo " + fmt.Sprint(c.gate.PID()) + "\n",
	}
	for name, text := range scripts {
		if err := os.WriteFile(filepath.Join(c.bin, name), []byte("#!/bin/sh\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// placed puts this system's addresses in place of a line's, and returns what it is to
// be run with.
func (c *calamity) placed(t *testing.T, line string) (text string, env []string) {
	t.Helper()
	env = []string{
		"PATH=" + c.bin + ":" + os.Getenv("PATH"), "HOME=" + c.bin, "NO_PROXY=*",
		"REDISCLI_AUTH=" + passwordOf("operator"), "REDIS_NODE=redis://" + c.redis.addr,
	}
	for name, value := range c.gate.Env {
		env = append(env, "TOLLGATE_"+name+"="+value)
	}
	replace := []string{
		"http://127.0.0.1:9000", c.gate.Ops, "http://127.0.0.1:8081", c.gate.Admin, "https://HOST/PATH", "https://shop.example.com/x",
		"BACKEND", c.backend.Addr, "TARGET/HEALTH_PATH", c.backend.Addr + "/healthz", "JWKS_URL", c.gate.URL + "/.well-known/jwks.json",
		`"ROUTE"`, `"app"`, "kill id ID", "kill id 999999",
	}
	switch {
	case strings.Contains(line, "TOLLGATE_TLS_CERT_FILE"):
		env = append(env, "TOLLGATE_TLS_CERT_FILE="+c.certs.CertFile)
	case strings.Contains(line, "PROMETHEUS:9090"):
		if c.prometheus == "" {
			t.Skip("no prometheus on PATH (Debian: apt-get install prometheus)")
		}
		replace = append(replace, "PROMETHEUS:9090", c.prometheus)
	case strings.Contains(line, "$SENTINEL"):
		env, replace = append(env, "SENTINEL=127.0.0.1"), append(replace, ofSentinel(c.sentinel)...)
	case strings.Contains(line, "--cluster"):
		env = append(env, "REDIS_NODE=redis://"+c.cluster.Addrs()[0]) // the last of a name counts
	}
	return strings.NewReplacer(replace...).Replace(line), env
}

// watch starts a Prometheus and waits until it has looked at the system.
func (c *calamity) watch(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("prometheus"); err != nil {
		return
	}
	address := testkit.MustFreeAddr(t)
	conf := interop.MustWrite(t, "prometheus.yml", "scrape_configs:\n  - { job_name: tollgate, scrape_interval: 1s, static_configs: [{ targets: [\""+strings.TrimPrefix(c.gate.Ops, "http://")+"\"] }] }\n")
	p := interop.MustStart(t, t.TempDir(), nil, "prometheus", "--config.file="+conf, "--storage.tsdb.path=data", "--web.listen-address="+address)
	p.MustBecome("told of the system", func() bool {
		out, err := exec.CommandContext(t.Context(), "curl", "-sg", "http://"+address+"/api/v1/query?query=tollgate_revocation_feed_lag_seconds").Output()
		return err == nil && strings.Contains(string(out), `"value"`)
	})
	c.prometheus = address
}
