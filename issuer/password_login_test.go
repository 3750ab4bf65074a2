package issuer_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/internal/ratelimit"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
	"tollgate/issuer/users"
)

// changeAtLogin asks for a new password without a token.
func changeAtLogin(t *testing.T, k *issuerkit.Kit, name, old, next string) issuerkit.Answer {
	t.Helper()
	k.Logs.Secret(old, next)
	return k.Post(t, "/api/password/", map[string]any{"username": name, "old_password": old, "new_password": next})
}

// mustReset has a user change the password before the next log-in.
func mustReset(t *testing.T, k *issuerkit.Kit, name string) {
	t.Helper()
	yes := true
	if _, err := k.Users.Update(t.Context(), name, users.Patch{MustChange: &yes}); err != nil {
		t.Fatal(err)
	}
}

// TestPasswordAtLogin: whoever has to change the password does so with name and old
// password, and is logged in with the new one.
func TestPasswordAtLogin(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	before, bob := k.MustLogin(t, "alice"), k.MustLogin(t, "bob")
	mustReset(t, k, "alice")
	a := k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": issuerkit.Password}).Must(t, 401)
	if !strings.Contains(a.Body, `"code":"password_change_required"`) {
		t.Errorf("%s", a.Body)
	}
	for name, row := range map[string]struct {
		user, old, next string
		status          int
		body            string
	}{
		"wrong password": {"alice", "wrong", newPassword, 401, noAccount},
		"nobody":         {"nobody", issuerkit.Password, newPassword, 401, noAccount},
		"the same again": {"alice", issuerkit.Password, issuerkit.Password, 400, `{"new_password":["The new password is the old one."]}`},
		"too long":       {"alice", issuerkit.Password, strings.Repeat("x", 4097), 400, `{"new_password":["This password cannot be used: password is longer than 4096 bytes."]}`},
		"no new one":     {"alice", issuerkit.Password, "", 400, `{"new_password":["This field may not be blank."]}`},
	} {
		t.Run(name, func(t *testing.T) { want(t, changeAtLogin(t, k, row.user, row.old, row.next), row.status, row.body) })
	}
	// A token that is not good is not passed over for what the body proves.
	wantRefusedPage(t, k.Post(t, "/api/password/", map[string]any{"username": "alice", "old_password": issuerkit.Password, "new_password": newPassword}, before.Refresh), "Token has wrong type", "")
	var next issuerkit.Pair
	changeAtLogin(t, k, "alice", issuerkit.Password, newPassword).Must(t, 200).Into(t, &next)
	ended(t, k, before)
	alive(t, k, next, bob)
	k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": newPassword}).Must(t, 200)
	want(t, changeAtLogin(t, k, "alice", issuerkit.Password, "a third one, of a thief"), 401, noAccount)
	if !strings.Contains(k.Logs.String(), `"msg":"a log-in was refused"`) {
		t.Error("the refusals are not audited")
	}
}

// TestPasswordAtLoginIsLimited: it is an attempt at a password as any other.
func TestPasswordAtLoginIsLimited(t *testing.T) {
	k := opened(t, issuerkit.Options{Issuer: func(c *issuer.Config) {
		c.LoginRate = ratelimit.Rate{Limit: 2, Per: time.Minute, Burst: 2}
	}})
	for range 2 {
		changeAtLogin(t, k, "alice", "wrong", newPassword).Must(t, 401)
	}
	changeAtLogin(t, k, "alice", issuerkit.Password, newPassword).Must(t, 429)
}

// TestPasswordRace: the user changes the password because somebody knows it, and that
// somebody changes it at the same moment. One of the two has it afterwards; the one who
// was told 200. The other's tokens, if any, are over.
func TestPasswordRace(t *testing.T) {
	var gate sync.WaitGroup
	k := opened(t, issuerkit.Options{Connections: 4, Issuer: func(c *issuer.Config) {
		set := c.ChangePassword
		ready := make(chan struct{})
		var once sync.WaitGroup
		once.Add(2)
		go func() { once.Wait(); close(ready) }()
		c.ChangePassword = func(ctx context.Context, id, password, next string) (users.User, error) {
			once.Done()
			<-ready
			return set(ctx, id, password, next)
		}
	}})
	user, thief := k.MustLogin(t, "alice"), k.MustLogin(t, "alice")
	var answers [2]issuerkit.Answer
	nexts := [2]string{newPassword, "the password of a thief"}
	for n, pair := range []issuerkit.Pair{user, thief} {
		gate.Go(func() { answers[n] = change(t, k, pair.Access, issuerkit.Password, nexts[n]) })
	}
	gate.Wait()
	won := 0
	for n, a := range answers {
		works := k.Post(t, "/api/token/", map[string]any{"username": "alice", "password": nexts[n]}).Status == 200
		if works != (a.Status == 200) {
			t.Errorf("change %d was answered %d, and its password works: %t", n, a.Status, works)
		}
		if works {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d of two changes at once hold", won)
	}
}
