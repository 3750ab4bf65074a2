package issuer_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/internal/ratelimit"
	"tollgate/internal/testkit"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/users"
)

// limited is a kit with three attempts a minute, by a clock that stands still: a
// fourth is due after twenty seconds.
func limited(t *testing.T, change func(*issuer.Config)) *issuerkit.Kit {
	t.Helper()
	mini, client := testkit.MustMini(t)
	mini.SetTime(time.Now())
	return opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) {
		c.Limiter, c.LoginRate = ratelimit.NewRedis(client, "t:"), ratelimit.Rate{Limit: 3, Per: time.Minute, Burst: 3}
		if change != nil {
			change(c)
		}
	}})
}

// wantThrottled checks the answer to what comes too often.
func wantThrottled(t *testing.T, a issuerkit.Answer) {
	t.Helper()
	seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if a.Status != http.StatusTooManyRequests || err != nil || seconds < 1 || seconds > 60 ||
		a.Body != `{"detail":"Request was throttled. Expected available in `+strconv.Itoa(seconds)+` seconds."}` {
		t.Errorf("%d %v %s", a.Status, a.Header, a.Body)
	}
}

// TestLoginRate: an address has so many attempts, right or wrong, and nothing is hashed
// for those beyond; a success takes none back.
func TestLoginRate(t *testing.T) {
	var hashed int
	k := limited(t, func(c *issuer.Config) { c.Users = countingDirectory{c.Users, &hashed} })
	login := func(name, password string) issuerkit.Answer {
		t.Helper()
		return k.Post(t, "/api/token/", map[string]any{"username": name, "password": password})
	}
	login("alice", issuerkit.Password).Must(t, 200)
	want(t, login("alice", "wrong"), 401, noAccount)
	pair := login("bob", issuerkit.Password).Must(t, 200)
	for _, a := range []issuerkit.Answer{
		login("alice", issuerkit.Password), login("bob", issuerkit.Password), login("nobody", "wrong"),
		k.Post(t, "/api/token/sliding/", map[string]any{"username": "alice", "password": issuerkit.Password}),
		change(t, k, pair.Map(t)["access"].(string), issuerkit.Password, newPassword),
	} {
		wantThrottled(t, a)
	}
	if hashed != 3 {
		t.Errorf("%d passwords were looked at", hashed)
	}
	if got := k.Metric(t, `tollgate_login_attempts_total{result="rate"}`); got != "5" {
		t.Errorf("%q counted", got)
	}
	if line := k.Logs.Last(t, "issuer:token"); line["reason"] != "rate" || line["decision"] != "deny" {
		t.Errorf("logged %v", line)
	}
	// What is no attempt at a password is not counted.
	k.Post(t, "/api/token/", nil).Must(t, 400)
	k.Post(t, "/api/token/refresh/", map[string]any{"refresh": pair.Map(t)["refresh"]}).Must(t, 200)
}

type countingDirectory struct {
	users.Directory
	n *int
}

func (d countingDirectory) Authenticate(ctx context.Context, login, password string) (users.User, error) {
	*d.n++
	return d.Directory.Authenticate(ctx, login, password)
}

// TestLoginRateOfANewPassword: guessing the old one is a log-in.
func TestLoginRateOfANewPassword(t *testing.T) {
	k := limited(t, nil)
	pair := k.MustLogin(t, "alice")
	for range 2 {
		change(t, k, pair.Access, "wrong", newPassword).Must(t, 400)
	}
	wantThrottled(t, change(t, k, pair.Access, issuerkit.Password, newPassword))
}

// TestResponseUserFields: the attributes that are asked for beside the tokens, at the
// log-in alone, and never a password.
func TestResponseUserFields(t *testing.T) {
	var recorded []string
	k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) {
		c.ResponseUserFields = []string{"id", "username", "email", "is_staff", "team", "last_login", "password"}
		c.RecordLogin = func(_ context.Context, id string) error {
			recorded = append(recorded, id)
			return errors.New("away") // no reason to refuse
		}
	}})
	a := k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": issuerkit.Password}).Must(t, 200)
	const user = `"user":{"email":"alice@example.com","id":"1","is_staff":false,"last_login":null,"password":null,"team":null,"username":"alice"}`
	if !strings.HasSuffix(a.Body, ","+user+"}") {
		t.Errorf("body %s", a.Body)
	}
	var pair issuerkit.Pair
	a.Into(t, &pair)
	if m := k.Post(t, "/api/token/refresh/", map[string]any{"refresh": pair.Refresh}).Must(t, 200).Map(t); len(m) != 2 {
		t.Errorf("a refresh answers %v", m)
	}
	if m := k.Post(t, "/api/token/sliding/", map[string]any{"username": "bob", "password": issuerkit.Password}).Must(t, 200).Map(t); len(m) != 2 || m["user"] == nil {
		t.Errorf("a sliding log-in answers %v", m)
	}
	k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": "wrong"}).Must(t, 401)
	if len(recorded) != 2 || recorded[0] != "1" || recorded[1] != "2" {
		t.Errorf("recorded %v", recorded)
	}
}

// TestLoginAudit: a refused log-in leaves a line with the address, with the name where
// somebody has it, and without the password.
func TestLoginAudit(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	const guess = "a guess at the password"
	k.Logs.Secret(guess)
	long := strings.Repeat("n", 200)
	for _, name := range []string{"alice", "nobody\nlevel=info", long} {
		k.Post(t, "/api/token/", map[string]any{"username": name, "password": guess}).Must(t, 401)
	}
	text := k.Logs.String()
	for _, part := range []string{`"msg":"a log-in was refused","username":"alice","remote":"127.0.0.1"`, `"remote":"127.0.0.1","why":"unknown_user"`} {
		if !strings.Contains(text, part) {
			t.Errorf("no line with %s", part)
		}
	}
	if strings.Contains(text, long[:100]) || strings.Contains(text, "nobody") {
		t.Error("a name that nobody has is logged")
	}
}

// TestLoginField: the field is named after what users log in with.
func TestLoginField(t *testing.T) {
	k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) { c.LoginField = "email" }})
	want(t, k.Post(t, "/api/token/", map[string]any{"username": "alice"}), 400, `{"email":["This field is required."],"password":["This field is required."]}`)
}
