package users

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestPasswordThatMustChange(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedis(b.client, prefix, cheap())
		yes := true
		ada := mustAdd(t, r, New{Username: "ada", Password: "old", IsActive: true})
		if u, err := r.Update(t.Context(), "ada", Patch{MustChange: &yes}); err != nil || !u.MustChange {
			t.Fatalf("%+v, %v", u, err)
		}
		for password, want := range map[string]error{"old": ErrMustChange, "wrong": ErrCredentials} {
			_, err := r.Authenticate(t.Context(), "ada", password)
			if !errors.Is(err, want) || !errors.Is(err, ErrCredentials) || errors.Is(err, ErrMustChange) != (password == "old") {
				t.Errorf("%s = %v, want %v", password, err, want)
			}
		}
		if _, err := r.ChangeAtLogin(t.Context(), "ada", "wrong", "new"); !errors.Is(err, ErrCredentials) {
			t.Errorf("with a wrong password = %v", err)
		}
		if u, err := r.ChangeAtLogin(t.Context(), "ada", "old", "new"); err != nil || u.MustChange || !u.PasswordChanged.After(ada.PasswordChanged) {
			t.Errorf("%+v, %v", u, err)
		}
		if _, err := r.Authenticate(t.Context(), "ada", "new"); err != nil {
			t.Errorf("with the new password: %v", err)
		}
		next := "third"
		if u, err := r.Update(t.Context(), "ada", Patch{Password: &next, MustChange: &yes}); err != nil || !u.MustChange {
			t.Errorf("a password for once = %+v, %v", u, err)
		}
		if u, err := r.Update(t.Context(), "ada", Patch{Password: &next}); err != nil || u.MustChange {
			t.Errorf("a password for good = %+v, %v", u, err)
		}
		if u := mustAdd(t, r, New{Username: "eve", Password: "pw", IsActive: true, MustChange: true}); !u.MustChange {
			t.Error("a new user who must change")
		}
	})
}

func TestChangePassword(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedis(b.client, prefix, cheap())
		ada := mustAdd(t, r, New{Username: "ada", Password: "old", IsActive: true})
		off := mustAdd(t, r, New{Username: "off", Password: "old"})
		for _, tt := range []struct {
			name, id, old, next string
			want                error
		}{
			{"wrong", ada.ID, "wrong", "new", ErrCredentials},
			{"nobody", "404", "old", "new", ErrCredentials},
			{"inactive", off.ID, "old", "new", ErrCredentials},
			{"empty", ada.ID, "old", "", ErrInvalid},
			{"blank around", ada.ID, "old", " new", ErrInvalid},
			{"right", ada.ID, "old", "new", nil},
			{"old again", ada.ID, "old", "newer", ErrCredentials},
		} {
			if _, err := r.ChangePassword(t.Context(), tt.id, tt.old, tt.next); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			}
		}
		var won atomic.Int64
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				if _, err := r.ChangePassword(t.Context(), ada.ID, "new", fmt.Sprint("won-", i)); err == nil {
					won.Add(1)
				}
			})
		}
		if wg.Wait(); won.Load() != 1 {
			t.Errorf("%d of ten changes of one password succeeded", won.Load())
		}
	})
}

func TestRecordLogins(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedisWith(b.client, prefix, cheap(), Settings{RecordLogins: true})
		from := time.Date(2020, 1, 2, 3, 4, 5, 6000, time.UTC)
		ada := mustAdd(t, r, New{Username: "ada", Password: "pw", IsActive: true, LastLogin: from})
		if !ada.LastLogin.Equal(from) {
			t.Errorf("brought %v, kept %v", from, ada.LastLogin)
		}
		_, _ = r.Authenticate(t.Context(), "ada", "wrong")
		if u, _ := r.ByID(t.Context(), ada.ID); !u.LastLogin.Equal(from) {
			t.Error("a refused log-in was recorded")
		}
		if u, err := r.Authenticate(t.Context(), "ada", "pw"); err != nil || !u.LastLogin.Equal(from) {
			t.Errorf("the log-in tells of itself: %v, %v", u.LastLogin, err)
		}
		if u, _ := r.ByID(t.Context(), ada.ID); !u.LastLogin.After(ada.Created) && !u.LastLogin.Equal(ada.Created) {
			t.Errorf("last log-in %v, created %v", u.LastLogin, ada.Created)
		}
	})
}

func TestPatchEndsSessions(t *testing.T) {
	yes, no, text := true, false, "s3cret"
	for _, tt := range []struct {
		patch Patch
		want  bool
	}{
		{Patch{}, false},
		{Patch{IsStaff: &no, IsSuperuser: &no, Email: &text}, false},
		{Patch{IsActive: &yes, MustChange: &no}, false},
		{Patch{IsActive: &no}, true},
		{Patch{Password: &text}, true},
		{Patch{MustChange: &yes}, true},
	} {
		if got := tt.patch.EndsSessions(); got != tt.want {
			t.Errorf("%v: %v", tt.patch, got)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", Patch{Password: &text}, Patch{Password: &text}, Patch{Password: &text}); strings.Contains(text, "0x") {
		t.Errorf("printed: %s", text)
	}
}
