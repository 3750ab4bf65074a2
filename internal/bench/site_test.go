//go:build bench

package bench

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/interop"
)

var (
	binary  = flag.String("bench.binary", "../../bin/tollgate", "the program to measure")
	seconds = flag.Int("bench.seconds", 4, "how long each load lasts; a cold one at most 2")
	rounds  = flag.Int("bench.rounds", 3, "how often everything is measured")
	conns   = flag.Int("bench.conns", 32, "connections of clients")
	algs    = flag.String("bench.algs", "RS256,ES256", "algorithms")
	only    = flag.String("bench.only", "warm,cold", "of warm and cold")
	record  = flag.String("bench.json", "", "file for the figures of every run")
	colds   = flag.Int("bench.colds", 60_000, "tokens of the cold runs; more than one run asks for, else they are not cold")
)

// site is the back end, Redis and the files, and where everything is.
type site struct {
	t               *testing.T
	dir             string
	minters         map[string]*minter
	backend, redis  string
	warm, cold      map[string]string // files of tokens, by algorithm
	issuers, routes string
}

// mustSite starts what the proxies have in common. It says all that is missing at once.
func mustSite(t *testing.T, tools ...string) *site {
	t.Helper()
	var missing []string
	for _, tool := range append(tools, "nginx", "wrk", "redis-server", "taskset", *binary) {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, tool)
		}
	}
	if len(missing) > 0 {
		t.Fatalf("missing: %s (Debian: nginx haproxy wrk redis-server util-linux; the program: make build)", strings.Join(missing, ", "))
	}
	s := &site{t: t, dir: t.TempDir(), minters: mustMinters(t), warm: map[string]string{}, cold: map[string]string{}}
	s.backend, s.redis = s.addr(), s.addr()
	var set []map[string]string
	for _, alg := range strings.Split(*algs, ",") {
		m := s.minters[alg]
		if m == nil {
			t.Fatalf("-bench.algs: %q is none of RS256, ES256", alg)
		}
		set = append(set, m.jwk(t))
		s.write(alg+".pem", m.pem(t))
	}
	text, err := json.Marshal(map[string]any{"keys": set})
	if err != nil {
		t.Fatal(err)
	}
	interop.MustStart(t, s.dir, nil, "taskset", "-c", "1", "nginx", "-c", s.write("backend.conf", fmt.Sprintf(backendConf, s.dir, s.backend, text))).MustListen(s.backend)
	_, port, _ := strings.Cut(s.redis, ":")
	interop.MustStart(t, s.dir, nil, "taskset", "-c", "1", "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no").MustListen(s.redis)
	s.issuers = s.write("issuers.yaml", fmt.Sprintf("issuers:\n  - {issuer: %q, jwks_url: \"http://%s/jwks.json\", audiences: [api], algorithms: [%s]}\n", issuer, s.backend, *algs))
	s.routes = s.routesOf(1)
	s.write("tokens.lua", tokensLua)
	return s
}

// mustTokens makes the tokens of the warm and cold loads.
func (s *site) mustTokens() {
	s.t.Helper()
	for _, alg := range strings.Split(*algs, ",") {
		s.warm[alg] = s.minters[alg].mustMint(s.t, s.dir, "warm", 1000)
		if strings.Contains(*only, "cold") {
			s.cold[alg] = s.minters[alg].mustMint(s.t, s.dir, "cold", *colds)
		}
	}
}

func (s *site) addr() string { return testkit.MustFreeAddr(s.t) }

func (s *site) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// routesOf is a file of so many routes, the last of which takes what the load asks for.
func (s *site) routesOf(count int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\nupstreams:\n  app: {urls: [\"http://%s\"]}\nroutes:\n", s.backend)
	for i := range count - 1 {
		fmt.Fprintf(&b, "  - {name: r%d, match: {path: /p%d/}, upstream: app}\n", i, i)
	}
	b.WriteString("  - {name: all, match: {path: /}, upstream: app}\n")
	return s.write(fmt.Sprintf("routes-%d.yaml", count), b.String())
}

// proxy is one that is measured.
type proxy struct {
	name, addr, ops string
	pid             func() int
	output          func() string
	stop            func()
}

// mustProxy starts one on core 0 and sees that it lets a good token through and, if it
// checks any, refuses a bad one.
func (s *site) mustProxy(name, alg string, settings ...string) *proxy {
	s.t.Helper()
	p := &proxy{name: name, addr: s.addr(), ops: s.addr()}
	var args, env []string
	switch name {
	case "nginx":
		args = []string{"nginx", "-c", s.write("plain.conf", fmt.Sprintf(plainConf, s.dir, s.backend, p.addr))}
	case "haproxy":
		args = []string{"haproxy", "-db", "-f", s.write("haproxy.cfg", fmt.Sprintf(haproxyConf, p.addr, s.write("revoked.map", "deadbeef 1\n"), alg, filepath.Join(s.dir, alg+".pem"), s.backend))}
	default:
		path, err := filepath.Abs(*binary)
		if err != nil {
			s.t.Fatal(err)
		}
		args, env = []string{path, "serve"}, append([]string{
			"TOLLGATE_LISTEN=" + p.addr, "TOLLGATE_ADMIN_LISTEN=", "TOLLGATE_OPS_LISTEN=" + p.ops, "TOLLGATE_ENABLE_ISSUER=false", "TOLLGATE_ENABLE_ADMIN=false",
			"TOLLGATE_REDIS_URL=redis://" + s.redis + "/0", "TOLLGATE_ROUTES_FILE=" + s.routes, "TOLLGATE_TRUSTED_ISSUERS_FILE=" + s.issuers,
			"TOLLGATE_LOG_LEVEL=error", "TOLLGATE_ACCESS_LOG=false", "TOLLGATE_PROFILING=true",
		}, settings...)
	}
	process := interop.MustStart(s.t, s.dir, env, "taskset", append([]string{"-c", "0"}, args...)...)
	p.pid, p.output, p.stop = process.PID, process.Output, process.Stop
	good := s.first(s.warm[alg])
	process.MustBecome("letting a good token through", func() bool { return s.ask(p, good) == http.StatusOK })
	if status := s.ask(p, good[:len(good)-8]+"AAAABBBB"); name != "nginx" && status != http.StatusUnauthorized {
		s.t.Fatalf("%s answers %d to a token whose signature is wrong: there is nothing to compare", name, status)
	}
	return p
}

// first is the first token of a file.
func (s *site) first(file string) string {
	s.t.Helper()
	f, err := os.Open(file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	var token string
	if _, err := fmt.Fscanln(f, &token); err != nil {
		s.t.Fatal(err)
	}
	return token
}

// ask returns the status of one request; 0: there was no answer.
func (s *site) ask(p *proxy, token string) int {
	s.t.Helper()
	return interop.Status(s.t, "http://"+p.addr+"/api/hello", token)
}
