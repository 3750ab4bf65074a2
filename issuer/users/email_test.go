package users

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
)

func TestLoginByEmail(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedisWith(b.client, prefix, cheap(), Settings{LoginByEmail: true})
		ada := mustAdd(t, r, New{Username: "ada", Email: "Ada@Example.com", Password: "pw", IsActive: true})
		mustAdd(t, r, New{Username: "robot", Password: "pw", IsActive: true})
		login := func(login string, want error) {
			t.Helper()
			if u, err := r.Authenticate(t.Context(), login, "pw"); !errors.Is(err, want) || err == nil && u.ID != ada.ID {
				t.Errorf("%q = %v, %v; want %v", login, u.ID, err, want)
			}
		}
		login("ada@example.com", nil)
		login("ADA@EXAMPLE.COM", nil)
		login("ada", ErrCredentials)
		login("", ErrCredentials)
		for what, n := range map[string]New{
			"same":       {Username: "eve", Email: "Ada@Example.com", NoPassword: true},
			"other case": {Username: "eve", ID: "77", Email: "aDA@example.com", NoPassword: true},
		} {
			if _, err := r.Add(t.Context(), n); !errors.Is(err, ErrExists) {
				t.Errorf("%s address = %v, want ErrExists", what, err)
			}
		}
		eve := mustAdd(t, r, New{Username: "eve", ID: "77", Email: "eve@example.com", NoPassword: true}) // name and id were given back
		next := "new@example.com"
		if _, err := r.Update(t.Context(), "ada", Patch{Email: &eve.Email}); !errors.Is(err, ErrExists) {
			t.Errorf("somebody else's address = %v", err)
		}
		if u, err := r.Update(t.Context(), "ada", Patch{Email: &next}); err != nil || u.Email != next {
			t.Errorf("another address = %+v, %v", u, err)
		}
		login("new@example.com", nil)
		login("ada@example.com", ErrCredentials)
		shouted := "NEW@example.com"
		if u, err := r.Update(t.Context(), "ada", Patch{Email: &shouted}); err != nil || u.Email != shouted {
			t.Errorf("another case = %+v, %v", u, err)
		}
		login("new@example.com", nil)
		if err := r.Remove(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
		ada = mustAdd(t, r, New{Username: "heir", Email: next, Password: "pw", IsActive: true})
		login(next, nil)
		if n := len(mustKeys(t, b.client)); n != 10 { // 3 users of 2 keys, 2 addresses, list, counter
			t.Errorf("%d keys: %v", n, mustKeys(t, b.client))
		}
	})
}

// Of many who want one address at once, some by creation and some by change, one
// gets it, and the rest have what they had.
func TestOneWinnerOfAnEmail(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedisWith(b.client, prefix, cheap(), Settings{LoginByEmail: true})
		email := "wanted@example.com"
		for i := range 8 {
			mustAdd(t, r, New{Username: fmt.Sprint("old-", i), Email: fmt.Sprintf("old-%d@x", i), NoPassword: true})
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_, err := r.Update(t.Context(), fmt.Sprint("old-", i), Patch{Email: &email})
				if err != nil && !errors.Is(err, ErrExists) {
					t.Error(err)
				}
			})
			wg.Go(func() {
				_, err := r.Add(t.Context(), New{Username: fmt.Sprint("new-", i), Email: email, NoPassword: true})
				if err != nil && !errors.Is(err, ErrExists) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		page, _, err := r.List(t.Context(), 0, "")
		if err != nil {
			t.Fatal(err)
		}
		var holders []string
		for _, u := range page {
			if u.Email == email {
				holders = append(holders, u.ID)
			}
			if rec, err := r.byEmail(t.Context(), u.Email); u.Email != email && (err != nil || rec.user.ID != u.ID) {
				t.Errorf("%s lost the address %s: %v", u.Username, u.Email, err)
			}
		}
		rec, err := r.byEmail(t.Context(), email)
		if len(holders) > 1 || len(holders) == 1 && (err != nil || rec.user.ID != holders[0]) {
			t.Errorf("held by %v, leads to %s, %v", holders, rec.user.ID, err)
		}
	})
}

// Users of the time in which they logged in by name, some of whom shared an address: two
// still do, and one who came second has it alone by now.
func TestReindex(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		byName := NewRedis(b.client, prefix, cheap())
		for i, email := range []string{"a@x", "b@x", "B@X", "", "c@x", "C@x"} {
			mustAdd(t, byName, New{Username: fmt.Sprint("user-", i), Email: email, Password: "pw", IsActive: true})
		}
		if err := byName.Remove(t.Context(), "user-4"); err != nil {
			t.Fatal(err)
		}
		r := NewRedisWith(b.client, prefix, cheap(), Settings{LoginByEmail: true})
		for range 2 {
			if shared, err := r.Reindex(t.Context()); err != nil || !slices.Equal(shared, []string{"3"}) {
				t.Errorf("Reindex = %v, %v; want the second of the two", shared, err)
			}
		}
		for login, want := range map[string]string{"A@x": "1", "b@X": "2", "c@X": "6"} {
			if u, err := r.Authenticate(t.Context(), login, "pw"); err != nil || u.ID != want {
				t.Errorf("%s = %s, %v", login, u.ID, err)
			}
		}
	})
}
