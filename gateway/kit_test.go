package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/internal/problem"
	"tollgate/internal/ratelimit"
	"tollgate/internal/telemetry"
	"tollgate/internal/testkit"
	"tollgate/keys"
	"tollgate/keys/token"
	"tollgate/revocation"
)

const issuerName = "https://issuer.test"

// checkerFunc lets a test say what is revoked.
type checkerFunc func(*revocation.Token) revocation.Verdict

func (f checkerFunc) Check(_ context.Context, t *revocation.Token) revocation.Verdict { return f(t) }

func nothingRevoked(*revocation.Token) revocation.Verdict {
	return revocation.Verdict{State: revocation.Clear}
}

// edge is a gateway on a real listener, in front of a real back end that
// remembers what reached it.
type edge struct {
	URL     string
	Backend *httptest.Server
	Metrics *telemetry.Metrics

	gateway *Gateway

	key  *ecdsa.PrivateKey
	kid  string
	logs *testkit.Buffer

	mu   sync.Mutex
	seen []*http.Request
}

type edgeOptions struct {
	routes  string // YAML; BACKEND is replaced by the back end's URL
	check   checkerFunc
	handler http.HandlerFunc
	trusted TrustedProxies
	limiter *ratelimit.Limiter
	profile problem.Profile
	schemes []string
	// defaults beside the kit's own
	defaults Defaults
}

func contains(s, part string) bool { return strings.Contains(s, part) }

func corsHandler(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	_, _ = io.WriteString(w, "hello")
}

func mustEdge(t *testing.T, o edgeOptions) *edge {
	t.Helper()
	e := &edge{logs: &testkit.Buffer{}}
	e.Backend = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		e.seen = append(e.seen, r.Clone(context.Background()))
		e.mu.Unlock()
		if o.handler != nil {
			o.handler(w, r)
			return
		}
		_, _ = io.WriteString(w, "hello")
	}))
	t.Cleanup(e.Backend.Close)
	if o.check == nil {
		o.check = nothingRevoked
	}
	if o.routes == "" {
		o.routes = "version: 1\nupstreams: {app: {urls: [\"BACKEND\"]}}\nroutes: [{name: all, match: {path: /}, upstream: app}]\n"
	}
	defaults := o.defaults
	defaults.UserIDClaim, defaults.MaxStale = "user_id", 5*time.Second
	table, err := ReadRoutes([]byte(strings.ReplaceAll(o.routes, "BACKEND", e.Backend.URL)), defaults)
	if err != nil {
		t.Fatalf("routes: %v", err)
	}
	e.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := keys.NewKey(&e.key.PublicKey, keys.ES256)
	if err != nil {
		t.Fatal(err)
	}
	e.kid = public.ID()
	set, err := keys.NewSet(public)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := token.New(token.Config{Issuers: []token.Issuer{{Name: issuerName, Keys: token.NewStaticKeys(set), Own: true}}, Leeway: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(e.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	e.Metrics = telemetry.NewMetrics(telemetry.Build{})
	g, err := New(Config{
		Verifier: verifier, Revocations: o.check, Routes: table, Profile: o.profile, Schemes: o.schemes,
		TrustedProxies: o.trusted, Limiter: o.limiter, Log: log, Metrics: e.Metrics,
	})
	if err != nil {
		t.Fatal(err)
	}
	e.gateway = g
	front := httptest.NewUnstartedServer(telemetry.Handler(NewPublic(g, nil), telemetry.Options{Log: log, Access: true, Metrics: e.Metrics}))
	front.Config.DisableGeneralOptionsHandler = true
	front.Start()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.RunStreams(ctx) }()
	t.Cleanup(func() {
		front.Close()
		g.Close()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	e.URL = front.URL
	return e
}

// token mints an access token; change may alter its claims.
func (e *edge) token(t *testing.T, change ...func(claims map[string]any)) string {
	t.Helper()
	now := time.Now().Unix()
	claims := map[string]any{
		"iss": issuerName, "sub": "42", "user_id": "42", "jti": "jti-1", "token_type": "access", "iat": now, "exp": now + 300, "scope": "read write",
		"sid": revocation.NewSessionID(time.Now().UnixMicro()),
	}
	for _, c := range change {
		c(claims)
	}
	header, _ := json.Marshal(map[string]string{"alg": "ES256", "kid": e.kid, "typ": "JWT"})
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding
	signed := enc.EncodeToString(header) + "." + enc.EncodeToString(payload)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, e.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + enc.EncodeToString(signature)
}

// get sends a request and returns the answer with its body read.
func (e *edge) get(t *testing.T, method, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, e.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header[headers[i]] = append(req.Header[headers[i]], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// requests returns what reached the back end.
func (e *edge) requests() []*http.Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*http.Request(nil), e.seen...)
}
