package remote_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tollgate/internal/testkit"
	"tollgate/keys"
	"tollgate/keys/remote"
	"tollgate/keys/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const issuerA = "https://a.example"

// clock is moved by the test alone.
type clock struct{ nanos atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.nanos.Store(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}
func (c *clock) Now() time.Time          { return time.Unix(0, c.nanos.Load()) }
func (c *clock) Advance(d time.Duration) { c.nanos.Add(int64(d)) }

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// weakRSA returns a public key of 1024 bits; no private half is needed for it.
func weakRSA() *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), 1023)
	return &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537}
}

func mustEC(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(tb, err)
	return k
}

// mustKeys returns new ES256 keys under the kids.
func mustKeys(tb testing.TB, kids ...string) []*keys.Key {
	tb.Helper()
	var all []*keys.Key
	for _, kid := range kids {
		k, err := keys.NewKeyWithID(kid, mustEC(tb).Public(), keys.ES256)
		must(tb, err)
		all = append(all, k)
	}
	return all
}

// mustDocument returns the JWK Set of new keys under the kids.
func mustDocument(tb testing.TB, kids ...string) string {
	tb.Helper()
	return documentOf(tb, mustKeys(tb, kids...)...)
}

func documentOf(tb testing.TB, ks ...*keys.Key) string {
	tb.Helper()
	set, err := keys.NewSet(ks...)
	must(tb, err)
	doc, err := set.JWKS()
	must(tb, err)
	return string(doc)
}

// with puts further members, as JSON text, before those of a document.
func with(document string, members ...string) string {
	return strings.Replace(document, `"keys":[`, `"keys":[`+strings.Join(members, ",")+",", 1)
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// host is a server of key sets whose behaviour the test changes.
type host struct {
	URL   string
	asked atomic.Int64
	serve atomic.Pointer[http.HandlerFunc]
}

func mustHost(tb testing.TB, h http.HandlerFunc) *host {
	tb.Helper()
	host := &host{}
	host.serve.Store(&h)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host.asked.Add(1)
		(*host.serve.Load())(w, r)
	}))
	tb.Cleanup(server.Close)
	host.URL = server.URL
	return host
}

func (h *host) now(f http.HandlerFunc) { h.serve.Store(&f) }

// says answers 200 with the body.
func says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// bubbled is a server of keys without a network, so that it can be in a synctest
// bubble. It notes when it was asked.
type bubbled struct {
	mu    sync.Mutex // guards all
	serve trip
	asked []time.Time
}

// trip answers one request of a bubbled server.
type trip func(*http.Request) (*http.Response, error)

func newBubbled(f trip) *bubbled { return &bubbled{serve: f} }

func (b *bubbled) client() *http.Client { return &http.Client{Transport: b} }

// RoundTrip answers a request.
func (b *bubbled) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	serve := b.serve
	b.asked = append(b.asked, time.Now())
	b.mu.Unlock()
	return serve(r)
}

func (b *bubbled) now(f trip) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.serve = f
}

// times returns when it was asked, since forget.
func (b *bubbled) times() []time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.asked)
}

func (b *bubbled) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = nil
}

// answer makes a response.
func answer(code int, body string) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func gives(document string) trip {
	return func(*http.Request) (*http.Response, error) { return answer(http.StatusOK, document), nil }
}

func refuses(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

// hang answers nothing until the fetch is given up.
func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func urlSpec(address string) remote.Spec { return remote.Spec{Issuer: issuerA, JWKSURL: address} }

func mustOpen(tb testing.TB, c remote.Config, specs ...remote.Spec) *remote.Issuers {
	tb.Helper()
	i, err := remote.Open(tb.Context(), specs, c)
	must(tb, err)
	tb.Cleanup(i.Close)
	return i
}

// keysOf returns the source of the first issuer.
func keysOf(i *remote.Issuers) token.KeyAwaiter {
	return i.Issuers()[0].Keys.(token.KeyAwaiter)
}

// kids returns the ids of a set, joined.
func kids(s *keys.Set) string {
	var ids []string
	for _, k := range s.Keys() {
		ids = append(ids, k.ID())
	}
	return strings.Join(ids, " ")
}

func wantKids(tb testing.TB, s *keys.Set, want string) {
	tb.Helper()
	if got := kids(s); got != want {
		tb.Errorf("the keys are %q, want %q", got, want)
	}
}

// logs collects log lines.
type logs struct{ testkit.Buffer }

func (l *logs) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// run starts Run; the function that is returned ends it and waits.
func run(tb testing.TB, i *remote.Issuers) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	done := make(chan error, 1)
	go func() { done <- i.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("Run returned %v", err)
		}
	}
}

func wantError(tb testing.TB, err error, parts ...string) {
	tb.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			tb.Errorf("the error is %v, want one with %q", err, part)
		}
	}
}

func many(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("k%d", i))
	}
	return all
}
