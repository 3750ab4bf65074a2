package admin_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/users"
)

func TestOneUser(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	k.MustUser(t, users.New{Username: "a/b c%é", ID: "odd"})
	odd := usersPath + "/" + url.PathEscape("a/b c%é")
	if u := wantDone(t, k.Control(t, "GET", odd, nil), 200); u["id"] != "odd" {
		t.Errorf("%v", u)
	}
	changed := wantMap(t, k.Control(t, "PATCH", odd, map[string]any{"email": "o@x", "attributes": map[string]any{"tenant": 9007199254740993}, "is_staff": true}))
	if changed["email"] != "o@x" || changed["is_staff"] != true || changed["is_active"] != true || !strings.Contains(k.Control(t, "GET", odd, nil).Body, "9007199254740993") {
		t.Errorf("%v", changed)
	}
	if u := wantMap(t, k.Control(t, "PATCH", odd, map[string]any{})); u["email"] != "o@x" {
		t.Errorf("an empty change: %v", u)
	}
	for name, row := range map[string]struct {
		body   map[string]any
		status int
		code   string
	}{
		"unknown member": {map[string]any{"username": "x"}, 400, "bad_request"},
		"wrong type":     {map[string]any{"attributes": []int{1}}, 400, "bad_request"},
		"bad password":   {map[string]any{"password": " secret-x"}, 422, "invalid"},
		"reserved":       {map[string]any{"attributes": map[string]any{"id": 1}}, 422, "invalid"},
	} {
		a := k.Control(t, "PATCH", odd, row.body)
		wantProblem(t, a, row.status, row.code)
		if strings.Contains(a.Body, "secret-x") {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		var body any
		if method == "PATCH" {
			body = map[string]any{"is_active": false}
		}
		wantProblem(t, k.Control(t, method, usersPath+"/nobody", body), 404, "not_found")
	}
}

// wantMap is wantDone for answers that say must_change_password.
func wantMap(t *testing.T, a issuerkit.Answer) map[string]any {
	t.Helper()
	return wantDone(t, a, 200)
}

// What a change does to sessions that stand, and to the next log-in.
func TestChangesThatEndSessions(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	const another = "another-password-of-alice"
	k.Logs.Secret(another)
	path := usersPath + "/alice"
	for _, row := range []struct {
		name      string
		body      map[string]any
		ends      bool
		status    int // of the next log-in with the old password
		restoring map[string]any
	}{
		{"flags", map[string]any{"is_staff": true, "is_superuser": true, "is_active": true}, false, 200, nil},
		{"email", map[string]any{"email": "a@x"}, false, 200, nil},
		{"asked for", map[string]any{"is_superuser": false, "end_sessions": true}, true, 200, nil},
		{"password", map[string]any{"password": another}, true, 401, map[string]any{"password": issuerkit.Password}},
		{"disabled", map[string]any{"is_active": false}, true, 401, map[string]any{"is_active": true}},
		{"must change", map[string]any{"must_change_password": true}, true, 401, map[string]any{"must_change_password": false}},
	} {
		t.Run(row.name, func(t *testing.T) {
			k.Advance(time.Second)
			before, bob := k.MustLogin(t, "alice"), k.MustLogin(t, "bob")
			k.Control(t, "PATCH", path, row.body).Must(t, 200)
			want := 200
			if row.ends {
				want = 400
			}
			for _, token := range []string{before.Access, before.Refresh} {
				if got := k.Verify(t, token); got != want {
					t.Errorf("verify says %d, want %d", got, want)
				}
			}
			if k.Verify(t, bob.Access) != 200 {
				t.Error("it hit somebody else")
			}
			a := k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": issuerkit.Password}).Must(t, row.status)
			if code := a.Map(t)["code"]; row.name == "must change" && code != "password_change_required" || row.name != "must change" && code != nil {
				t.Errorf("code %v: %s", code, a.Body)
			}
			if row.restoring != nil {
				k.Control(t, "PATCH", path, row.restoring).Must(t, 200)
			}
			k.MustLogin(t, "alice")
		})
	}
}

func TestRemoveUser(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	before := k.MustLogin(t, "alice")
	if a := k.Control(t, "DELETE", usersPath+"/alice", nil).Must(t, 204); a.Body != "" {
		t.Errorf("body %q", a.Body)
	}
	if got := k.Verify(t, before.Access); got != 400 {
		t.Errorf("verify says %d", got)
	}
	k.Post(t, "/api/token/refresh/", map[string]any{"refresh": before.Refresh}).Must(t, 401)
	k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": issuerkit.Password}).Must(t, 401)
	wantProblem(t, k.Control(t, "DELETE", usersPath+"/alice", nil), 404, "not_found")
	k.MustUser(t, users.New{Username: "alice"})
	k.MustLogin(t, "alice")
}

// gated stops log-ins once the record has been read and the password has proved
// right, until it is told to go on.
type gated struct {
	*users.Redis
	read, goOn chan struct{}
}

func (g *gated) Authenticate(ctx context.Context, login, password string) (users.User, error) {
	u, err := g.Redis.Authenticate(ctx, login, password)
	if g.read != nil {
		close(g.read)
		<-g.goOn
		g.read = nil
	}
	return u, err
}

// The birth of a session is taken before the record is read, and the cut-off comes
// after the record is written: whatever falls between, the session is refused.
func TestALoginThatStraddlesAPasswordChangeDoesNotSurviveIt(t *testing.T) {
	for name, body := range map[string]map[string]any{
		"password": {"password": "the-next-password"}, "disabled": {"is_active": false}, "must change": {"must_change_password": true},
		"removed": nil,
	} {
		t.Run(name, func(t *testing.T) {
			g := &gated{}
			k := opened(t, issuerkit.Options{Connections: 4, Issuer: func(c *issuer.Config) {
				g.Redis = c.Users.(*users.Redis)
				c.Users = g
			}})
			k.Logs.Secret("the-next-password")
			g.read, g.goOn = make(chan struct{}), make(chan struct{})
			read, goOn := g.read, g.goOn
			done := make(chan issuerkit.Answer)
			go func() {
				done <- k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": issuerkit.Password})
			}()
			<-read
			method, status := "PATCH", 200
			if body == nil {
				method, status = "DELETE", 204
				k.Control(t, method, usersPath+"/alice", nil).Must(t, status)
			} else {
				k.Control(t, method, usersPath+"/alice", body).Must(t, status)
			}
			close(goOn)
			if a := <-done; a.Status != 401 || strings.Contains(a.Body, "access") {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			if name == "password" { // in the same second, by the same clock
				k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": "the-next-password"}).Must(t, 200)
			}
		})
	}
}

// Without a store nothing is known to have happened; asking again brings it about.
func TestUserChangesWithoutAStore(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	before := k.MustLogin(t, "alice")
	k.Mini.SetError("LOADING")
	for method, body := range map[string]any{"GET": nil, "PATCH": map[string]any{"is_active": false}, "DELETE": nil} {
		wantProblem(t, k.Control(t, method, usersPath+"/alice", body), 503, "unavailable")
	}
	k.Mini.SetError("")
	k.Control(t, "DELETE", usersPath+"/alice", nil).Must(t, 204)
	if k.Verify(t, before.Access) != 400 {
		t.Error("the session survived")
	}
}
