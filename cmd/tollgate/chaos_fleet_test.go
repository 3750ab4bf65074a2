//go:build chaos

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"tollgate/internal/testkit"
)

// maxStale is how old the knowledge of the edges may be in the fault runs.
const maxStale = 2 * time.Second

// plan says what a fleet is.
type plan struct {
	Redis *testkit.RedisServer // each process reaches it by a line of its own; or
	URL   string               // all reach it by this
	Edges int                  // three
	All   []string             // settings of every process
	Home  []string             // of the issuer's, beside All
	Edge  func(i int) []string // of an edge, beside All
	Bare  bool                 // no user is added and nobody logs in
}

// fleet is a running system of several processes of the built binary: one that is
// issuer and control plane, and edges.
type fleet struct {
	tb      testing.TB
	plan    plan
	Home    *system
	Edges   []*system
	Lines   map[*system]*testkit.Proxy
	Foreign *stranger
	issuers string // file
	backend string // URL
}

func mustFleet(tb testing.TB, p plan) *fleet {
	tb.Helper()
	if p.Edges == 0 {
		p.Edges = 3
	}
	f := &fleet{tb: tb, plan: p, Lines: map[*system]*testkit.Proxy{}, Foreign: mustStranger(tb)}
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	tb.Cleanup(backend.Close)
	f.backend = backend.URL
	f.Home = f.mustStart(append([]string{"TOLLGATE_ENABLE_GATEWAY=false", "TOLLGATE_UPSTREAM="}, p.Home...)...)
	f.issuers = filepath.Join(tb.TempDir(), "issuers.yaml")
	text := fmt.Sprintf("issuers:\n  - {issuer: %q, jwks_url: %q, audiences: [a], algorithms: [ES256]}\n"+
		"  - {issuer: %q, key_file: %q, audiences: [a], algorithms: [ES256], legacy: {no_kid: true}, max_lifetime: 24h}\n",
		testIssuer, f.Home.Public+"/.well-known/jwks.json", foreignIssuer, f.Foreign.keyFile)
	if err := os.WriteFile(f.issuers, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	for i := range p.Edges {
		var own []string
		if p.Edge != nil {
			own = p.Edge(i)
		}
		f.Edges = append(f.Edges, f.mustStart(append([]string{
			"TOLLGATE_ENABLE_ISSUER=false", "TOLLGATE_ENABLE_ADMIN=false", "TOLLGATE_TRUSTED_ISSUERS_FILE=" + f.issuers,
		}, own...)...))
	}
	if !p.Bare {
		f.Home.mustAddUser(ada, adaPassword)
	}
	return f
}

// mustStart starts one process of the fleet, on a line of its own to Redis.
func (f *fleet) mustStart(settings ...string) *system {
	f.tb.Helper()
	url := f.plan.URL
	var line *testkit.Proxy
	if f.plan.Redis != nil {
		line = testkit.MustProxy(f.tb, f.plan.Redis.Addr)
		url = "redis://" + line.Addr + "/0"
	}
	base := []string{
		"TOLLGATE_UPSTREAM=" + f.backend, "TOLLGATE_AUDIENCE=a", "TOLLGATE_ACCESS_TTL=1h", "TOLLGATE_REVOCATION_MAX_STALE=" + maxStale.String(),
		"TOLLGATE_LOG_LEVEL=info", "TOLLGATE_ACCESS_LOG=false", "TOLLGATE_REDIS_OP_TIMEOUT=100ms",
	}
	s := mustSystemOn(f.tb, &testkit.RedisServer{URL: url}, append(append(base, f.plan.All...), settings...)...)
	if line != nil {
		f.Lines[s] = line
	}
	return s
}

// all are the processes, the issuer's first.
func (f *fleet) all() []*system { return append([]*system{f.Home}, f.Edges...) }

// lead leads every line of these processes to another server.
func (f *fleet) lead(to *testkit.RedisServer, these ...*system) {
	for _, s := range these {
		f.Lines[s].Retarget(to.Addr)
	}
}

// signal sends a signal to one process.
func (s *system) signal(sig syscall.Signal) {
	s.tb.Helper()
	if err := s.process.Process.Signal(sig); err != nil {
		s.tb.Fatal(err)
	}
}

// mustKill ends the process at once.
func (s *system) mustKill() {
	s.tb.Helper()
	s.signal(syscall.SIGKILL)
	<-s.exited
}

// foreignIssuer is somebody whose tokens the edges trust, and who knows nothing of
// revocations.
const foreignIssuer = "https://foreign.example"

// stranger mints the tokens of foreignIssuer.
type stranger struct {
	key     *ecdsa.PrivateKey
	keyFile string
}

func mustStranger(tb testing.TB) *stranger {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		tb.Fatal(err)
	}
	file := filepath.Join(tb.TempDir(), "foreign.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
		tb.Fatal(err)
	}
	return &stranger{key, file}
}

// mint signs a token that was issued an hour ago and lives for two more.
func (f *stranger) mint(subject, jti string) string {
	return f.mintUntil(subject, jti, time.Now().Add(2*time.Hour))
}

// mintUntil is mint with another end.
func (f *stranger) mintUntil(subject, jti string, end time.Time) string {
	issued := time.Now().Add(-time.Hour).Unix()
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","typ":"JWT"}`)) + "." +
		base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"iss":%q,"aud":"a","sub":%q,"jti":%q,"iat":%d,"exp":%d}`,
			foreignIssuer, subject, jti, issued, end.Unix()))
	digest := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, f.key, digest[:])
	if err != nil {
		panic(err)
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature[:])
}
