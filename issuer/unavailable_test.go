package issuer_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/users"
	"tollgate/keys/keystore"
	"tollgate/keys/ring"
	"tollgate/revocation"
)

// unavailable is the one answer while nobody can say anything.
const unavailable = `{"detail":"The service is not available at the moment. Try again.","reason":"unavailable"}`

func wantUnavailable(t *testing.T, a issuerkit.Answer, body string) {
	t.Helper()
	want(t, a, http.StatusServiceUnavailable, body)
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// TestStoreUnavailable: with Redis away every endpoint is 503 with Retry-After:
// not 401, not 500, and never a token.
func TestStoreUnavailable(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	pair := k.MustLogin(t, "alice")
	k.Mini.Close()
	for path, fields := range map[string]map[string]any{
		"/api/token/": {"username": "alice", "password": issuerkit.Password}, "/api/token/refresh/": {"refresh": pair.Refresh},
		"/api/token/blacklist/": {"refresh": pair.Refresh}, "/api/token/verify/": {"token": pair.Access}, "/api/token/verify": {"token": pair.Refresh},
	} {
		wantUnavailable(t, k.Post(t, path, fields), unavailable)
	}
	for _, fields := range []map[string]any{nil, {"all": "1"}, {"refresh_token": pair.Refresh}} {
		a := k.Post(t, "/api/logout/", fields, pair.Access)
		wantUnavailable(t, a, `{"detail":"It cannot be told at the moment whether the token is still valid. Try again.","reason":"unavailable"}`)
	}
	// What needs no store is answered as ever.
	want(t, k.Post(t, "/api/token/verify/", map[string]any{"token": "garbage"}), 401, invalid)
	want(t, k.Post(t, "/api/token/", nil), 400, `{"username":["This field is required."],"password":["This field is required."]}`)
	want(t, k.Post(t, "/api/logout/", nil), 401, noCredentials)
	k.Send(t, issuerkit.Request{Method: "GET", Path: jwksPath}).Must(t, 200)
	for _, route := range []string{"issuer:token", "issuer:refresh", "issuer:blacklist"} {
		if line := k.Logs.Last(t, route); line["decision"] == "allow" {
			t.Errorf("logged %v", line)
		}
	}
	if got := k.Metric(t, `tollgate_login_attempts_total{result="unavailable"}`); got != "1" {
		t.Errorf("%s log-ins without a store counted", got)
	}
	k.MustRestart(t)
	if _, err := k.Revocations.Epoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	alive(t, k, pair)
}

// TestCutInTheMiddle: Redis goes away after the first of a row's questions.
func TestCutInTheMiddle(t *testing.T) {
	d := &cuttingDirectory{}
	k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) { d.Directory, c.Users = c.Users, d }})
	pair := k.MustLogin(t, "alice")
	d.after = k.Mini.Close
	wantUnavailable(t, k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": issuerkit.Password}), unavailable)
	k.MustRestart(t)
	wantUnavailable(t, refresh(t, k, pair.Refresh), unavailable)
	k.MustRestart(t)
	d.after = nil
	k.MustRefresh(t, pair.Refresh) // nothing was spent
}

// cuttingDirectory does something after each answer.
type cuttingDirectory struct {
	users.Directory
	after func()
}

func (d *cuttingDirectory) Authenticate(ctx context.Context, login, password string) (users.User, error) {
	u, err := d.Directory.Authenticate(ctx, login, password)
	if d.after != nil {
		d.after()
	}
	return u, err
}

func (d *cuttingDirectory) ByID(ctx context.Context, id string) (users.User, error) {
	u, err := d.Directory.ByID(ctx, id)
	if d.after != nil {
		d.after()
	}
	return u, err
}

// TestDirectoryErrors: a directory that is busy or away is 503, one that breaks is
// 500, and its text stays here.
func TestDirectoryErrors(t *testing.T) {
	d := &failingDirectory{}
	k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) { d.Directory, c.Users = c.Users, d }})
	pair := k.MustLogin(t, "alice")
	for _, row := range []struct {
		err    error
		status int
		want   string
	}{
		{users.ErrBusy, 503, `{"detail":"Too many log-ins at the moment. Try again.","reason":"unavailable"}`},
		{users.ErrUnavailable, 503, unavailable},
		{errors.New("pq: password authentication failed"), 500, `{"detail":"A server error occurred."}`},
	} {
		d.err = row.err
		want(t, k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": "x"}), row.status, row.want)
		want(t, refresh(t, k, pair.Refresh), row.status, row.want)
	}
	if line := k.Logs.Last(t, "issuer:token"); line["decision"] != "error" || line["error"] != "internal error" {
		t.Errorf("logged %v", line)
	}
}

type failingDirectory struct {
	users.Directory
	err error
}

func (d *failingDirectory) Authenticate(ctx context.Context, login, password string) (users.User, error) {
	if d.err != nil {
		return users.User{}, d.err
	}
	return d.Directory.Authenticate(ctx, login, password)
}

func (d *failingDirectory) ByID(ctx context.Context, id string) (users.User, error) {
	if d.err != nil {
		return users.User{}, d.err
	}
	return d.Directory.ByID(ctx, id)
}

// TestUnconfirmedKeys: a ring that its store does not confirm signs nothing: 503.
// The refresh that was not answered can be asked for again.
func TestUnconfirmedKeys(t *testing.T) {
	store := &cutStore{Memory: keystore.NewMemory()}
	k := opened(t, issuerkit.Options{KeyStore: store})
	pair := k.MustLogin(t, "alice")
	store.cut.Store(true)
	k.Advance(time.Minute)
	wantUnavailable(t, k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": issuerkit.Password}), unavailable)
	wantUnavailable(t, refresh(t, k, pair.Refresh), unavailable)
	if status := k.Verify(t, pair.Access); status != 200 {
		t.Errorf("verify needs no signature: %d", status)
	}
	store.cut.Store(false)
	k.Advance(time.Minute) // past the grace, but not delivered
	alive(t, k, k.MustRefresh(t, pair.Refresh))
}

// TestCutAfterTheCheck: the token was found good, and then Redis goes away.
func TestCutAfterTheCheck(t *testing.T) {
	r := &cuttingRevocations{}
	k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) { r.Revocations, c.Revocations = c.Revocations, r }})
	pair := k.MustLogin(t, "alice")
	stateless := k.MustForge(t, map[string]any{
		"iss": issuerkit.Issuer, "sub": "1", "jti": "j", "token_type": "access", "iat": k.Now().Unix(), "exp": k.Now().Unix() + 60,
	})
	r.after = k.Mini.Close
	for _, row := range []struct {
		path   string
		fields map[string]any
		bearer string
	}{
		{"/api/logout/", map[string]any{"all": "1"}, pair.Access}, {"/api/logout/", nil, pair.Access}, {"/api/logout/", nil, stateless},
		{"/api/token/blacklist/", map[string]any{"refresh": pair.Refresh}, ""}, {"/api/token/verify/", map[string]any{"token": pair.Refresh}, ""},
		{"/api/token/refresh/", map[string]any{"refresh": pair.Refresh}, ""},
	} {
		wantUnavailable(t, k.Post(t, row.path, row.fields, row.bearer), unavailable)
		k.MustRestart(t)
	}
	r.after = nil
	alive(t, k, pair)
}

type cuttingRevocations struct {
	issuer.Revocations
	after func()
}

func (r *cuttingRevocations) Check(ctx context.Context, t *revocation.Token) revocation.Verdict {
	v := r.Revocations.Check(ctx, t)
	if r.after != nil {
		r.after()
	}
	return v
}

// TestCutBeforeDelivered: the answer left, and then Redis went away: the client has
// its pair, and the token that it presented may still come again.
func TestCutBeforeDelivered(t *testing.T) {
	var k *issuerkit.Kit
	signed := 0
	k = opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) {
		sign := c.Sign
		c.Sign = func(ctx context.Context, payload []byte, typ string) (string, string, error) {
			if signed++; signed == 4 {
				k.Mini.Close()
			}
			return sign(ctx, payload, typ)
		}
	}})
	first := k.MustLogin(t, "alice")
	second := k.MustRefresh(t, first.Refresh)
	// The next request on the one connection waits for the end of the one before.
	k.Send(t, issuerkit.Request{Method: "GET", Path: jwksPath}).Must(t, 200)
	if !strings.Contains(k.Logs.String(), "a refresh was not marked delivered") {
		t.Error("nobody is told")
	}
	k.MustRestart(t)
	k.Advance(2 * issuerkit.Grace)
	if again := k.MustRefresh(t, first.Refresh); issuerkit.Text(t, again.Refresh, "jti") != issuerkit.Text(t, second.Refresh, "jti") {
		t.Error("another successor")
	}
}

// cutStore is a key store that can be cut off.
type cutStore struct {
	*keystore.Memory
	cut atomic.Bool
}

func (s *cutStore) Load(ctx context.Context) (ring.Ring, error) {
	if s.cut.Load() {
		return ring.Ring{}, errors.New("no route to host")
	}
	return s.Memory.Load(ctx)
}

// TestDRFUnavailable: the same of drf-jwt's endpoints and of impersonation.
func TestDRFUnavailable(t *testing.T) {
	k := royal(t)
	root := drfLogin(t, k, "root")
	acting := shapes()[1].begin(t, k, root, "1")
	k.Mini.Close()
	for path, fields := range map[string]map[string]any{
		drfAuth: {"username": "alice", "password": issuerkit.Password}, drfRefresh: {"token": root}, drfVerify: {"token": root},
		drfImpersonate + "end/": {"token": acting}, "/api/token/impersonate/end/": {"token": acting},
	} {
		wantUnavailable(t, k.Post(t, path, fields), unavailable)
	}
	for _, path := range []string{drfLogout, drfImpersonate, "/api/token/impersonate/"} {
		a := k.Post(t, path, map[string]any{"user": "1"}, root)
		wantUnavailable(t, a, `{"detail":"It cannot be told at the moment whether the token is still valid. Try again.","reason":"unavailable"}`)
	}
	wantDRF(t, post(t, k, drfVerify, "garbage"), 400, nonField("Error decoding token."))
}
