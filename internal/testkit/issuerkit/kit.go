package issuerkit

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"tollgate/gateway"
	"tollgate/internal/ratelimit"
	"tollgate/internal/telemetry"
	"tollgate/internal/testkit"
	"tollgate/issuer"
	"tollgate/issuer/admin"
	"tollgate/issuer/session"
	"tollgate/issuer/statuslist"
	"tollgate/issuer/store"
	"tollgate/issuer/users"
	"tollgate/keys"
	"tollgate/keys/keystore"
	"tollgate/keys/ring"
	"tollgate/keys/token"
	"tollgate/revocation"
)

// What every kit is set up with.
const (
	Issuer     = "https://id.example"
	AdminToken = "admin-token-of-the-kit-0123456789"
	AccessTTL  = 5 * time.Minute
	RefreshTTL = 24 * time.Hour
	MaxTTL     = 720 * time.Hour
	Grace      = 5 * time.Second
	Leeway     = 10 * time.Second
)

// Options change what a kit is set up with; nil and zero leave it.
type Options struct {
	Issuer   func(*issuer.Config)
	Sessions func(*session.Settings)
	Audience []string     // of the verifier and of the tokens
	KeyStore ring.Store   // default: a memory store
	Rest     http.Handler // default: 404 for whatever is no row
	Status   bool         // access tokens have a place in a status list
	// Algorithms of the ring, the first of which signs; default ES256 alone.
	Algorithms []keys.Algorithm
	NoAudit    bool // nothing is audited, so that what follows the intent can be looked at
	// RedisTime is how long a request waits for Redis in all. Default 10 s, and not that
	// of the program, which a test on a busy machine may need for itself. Where it is
	// given, nothing else ends a command in time: each waits up to a minute.
	RedisTime time.Duration
	// Connections at a time; default one: a request is then read when the handler of
	// the one before is done, and with it what it does after its answer.
	Connections int
}

// Kit is a running issuer with its admin API.
type Kit struct {
	URL, AdminURL string

	Mini        *miniredis.Miniredis
	Proxy       *testkit.Proxy // between Redis and everything that asks it
	Redis       redis.UniversalClient
	Revocations *revocation.Redis
	Edges       *revocation.Census
	Users       *users.Redis
	Sessions    *session.Store
	Ring        *ring.Manager
	Verifier    *token.Verifier
	Inspector   *token.Verifier // of any audience
	Clients     *store.Clients
	Limiter     *ratelimit.Limiter
	AdminTokens *store.AdminTokens
	Audit       *store.Audit      // nil with NoAudit
	Events      *store.AuditQueue // nil with NoAudit
	Metrics     *telemetry.Metrics
	Logs        *Logs
	Status      *statuslist.Lists // nil unless asked for
	Admin       *admin.Admin
	// Drain ends what the admin API waits for, as a process does that stops.
	Drain func()

	client *http.Client

	mu  sync.Mutex
	now time.Time // guarded by mu
}

// MustOpen starts a kit, which ends with the test.
func MustOpen(tb testing.TB, o Options) *Kit {
	tb.Helper()
	k := &Kit{now: time.Now().UTC().Truncate(time.Second), Logs: &Logs{}, Metrics: telemetry.NewMetrics(telemetry.Build{})}
	k.Mini, _ = testkit.MustMini(tb)
	k.Proxy = testkit.MustProxy(tb, k.Mini.Addr())
	k.Redis = testkit.MustClient(tb, k.Proxy.Addr, func(r *redis.Options) {
		if o.RedisTime > 0 {
			r.ReadTimeout, r.WriteTimeout = time.Minute, time.Minute
		}
	})
	k.Redis.AddHook(store.Hook{})
	k.Mini.SetTime(k.now)
	transport := &http.Transport{MaxConnsPerHost: max(1, o.Connections)}
	k.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	tb.Cleanup(func() {
		transport.CloseIdleConnections()
		k.Logs.mustHoldNoSecret(tb)
	})
	k.Logs.Secret(AdminToken)
	k.mustStores(tb, o)
	k.mustListen(tb, o)
	return k
}

func (k *Kit) mustStores(tb testing.TB, o Options) {
	tb.Helper()
	var err error
	k.Revocations, err = revocation.NewRedis(k.Redis, "t:", revocation.Settings{Leeway: Leeway, AccessLife: AccessTTL, SessionLife: MaxTTL, Own: Issuer})
	must(tb, err)
	must(tb, k.Revocations.Open(context.Background()))
	k.Edges, err = revocation.NewCensus(k.Redis, "t:")
	must(tb, err)
	k.Users = users.NewRedis(k.Redis, "t:", users.NewHasher(0))
	s := session.Settings{AccessTTL: AccessTTL, RefreshTTL: RefreshTTL, MaxTTL: MaxTTL, Grace: Grace, Leeway: Leeway, Rotate: true}
	if o.Sessions != nil {
		o.Sessions(&s)
	}
	must(tb, s.Validate())
	k.Sessions = session.NewStore(k.Redis, "t:", Issuer, s, k.Revocations)
	if o.KeyStore == nil {
		o.KeyStore = keystore.NewMemory()
	}
	if o.Algorithms == nil {
		o.Algorithms = []keys.Algorithm{keys.ES256}
	}
	k.Ring, err = ring.Open(context.Background(), ring.Config{
		Store: o.KeyStore, Issuer: Issuer, Now: k.Now, Log: k.Logs.Logger(),
		Settings: ring.Settings{Algorithms: o.Algorithms, Prepublish: 15 * time.Minute, TokenLife: RefreshTTL + Leeway},
	})
	must(tb, err)
	k.Clients = store.NewClients(k.Redis, "t:")
	k.Limiter = ratelimit.NewRedis(k.Redis, "t:")
	k.AdminTokens = store.NewAdminTokens(k.Redis, "t:")
	if !o.NoAudit {
		k.mustAudit(tb)
	}
	verifier := func(audiences []string) *token.Verifier {
		v, err := token.New(token.Config{Leeway: Leeway, Now: k.Now, Issuers: []token.Issuer{{
			Name: Issuer, Keys: k.Ring, Own: true, Audiences: audiences,
			MaxLifetime: map[string]time.Duration{"": AccessTTL, "refresh": MaxTTL},
		}}})
		must(tb, err)
		return v
	}
	k.Verifier, k.Inspector = verifier(o.Audience), verifier(nil)
}

func (k *Kit) mustListen(tb testing.TB, o Options) {
	tb.Helper()
	log := k.Logs.Logger()
	if o.RedisTime == 0 {
		o.RedisTime = 10 * time.Second
	}
	c := issuer.Config{
		RedisTime: o.RedisTime,
		Verifier:  k.Verifier, Revocations: k.Revocations, Users: k.Users, Sessions: k.Sessions, Sign: k.Ring.Sign, SignWith: k.Ring.SignWith, Keys: k.published,
		Claims:         issuer.ClaimSettings{Issuer: Issuer, Audience: o.Audience, Typ: "JWT", UserIDClaim: "user_id", UserIDField: "id"},
		ChangePassword: k.Users.ChangePassword, ChangeAtLogin: k.Users.ChangeAtLogin, Rotate: true, Prefix: "/api", Log: log, Metrics: k.Metrics,
		Inspector: k.Inspector, Clients: k.Clients, Limiter: k.Limiter, AccessTTL: AccessTTL, Leeway: Leeway, Now: k.Now,
	}
	if o.Status {
		k.Status = k.MustStatus(tb)
		c.Status = k.Status
	}
	if !o.NoAudit {
		c.Audit = k.Events.Note
	}
	if o.Issuer != nil {
		o.Issuer(&c)
	}
	i, err := issuer.New(c)
	must(tb, err)
	if o.Rest == nil {
		o.Rest = gateway.NotFound()
	}
	public := gateway.NewPublic(o.Rest, nil)
	i.Mount(public.Echo(), public.Rest())
	control, err := admin.New(admin.Config{
		Token: AdminToken, Issuer: Issuer, Revocations: k.Revocations, Verifier: k.Verifier, Keys: k.Ring,
		Users: k.Users, Sessions: k.Sessions, Edges: k.Edges, Clients: k.Clients, Answers: store.NewAnswers(k.Redis, "t:", AdminToken), Tokens: i, Log: log, Metrics: k.Metrics,
		AdminTokens: k.AdminTokens, Audit: k.Audit, Events: k.Events, RedisTime: o.RedisTime,
	})
	must(tb, err)
	k.Admin = control
	k.mustRunWaits(tb)
	observed := telemetry.Options{Log: log, Access: true, Metrics: k.Metrics}
	k.URL = serve(tb, telemetry.Handler(public, observed))
	k.AdminURL = serve(tb, telemetry.Handler(control, observed))
}

// MustReplaceAdmin puts another admin API in place of the kit's own.
func (k *Kit) MustReplaceAdmin(tb testing.TB, h http.Handler) {
	tb.Helper()
	k.AdminURL = serve(tb, telemetry.Handler(h, telemetry.Options{Log: k.Logs.Logger(), Access: true}))
}

func serve(tb testing.TB, h http.Handler) string {
	s := httptest.NewUnstartedServer(h)
	s.Config.DisableGeneralOptionsHandler = true
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	s.Start()
	tb.Cleanup(s.Close)
	return s.URL
}

func (k *Kit) published() *keys.Published {
	p, err := keys.Publish(k.Ring.Set(), 5*time.Minute)
	if err != nil {
		return nil
	}
	return p
}

// Now is the time of the whole kit, Redis included. It stands still but for
// Advance.
func (k *Kit) Now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

// Advance moves the time on. Keys in Redis expire by it.
func (k *Kit) Advance(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = k.now.Add(d)
	k.Mini.SetTime(k.now)
	k.Mini.FastForward(d)
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
