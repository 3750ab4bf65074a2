package users

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestDisableAndEnable(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedis(b.client, prefix, cheap())
		mustAdd(t, r, New{Username: "ada", Password: "pw", IsActive: true})
		for _, step := range []struct {
			name string
			do   func() error
			want error
		}{
			{"disable", func() error { return r.Disable(t.Context(), "ada") }, ErrCredentials},
			{"disable again", func() error { return r.Disable(t.Context(), "ada") }, ErrCredentials},
			{"enable", func() error { return r.Enable(t.Context(), "ada") }, nil},
		} {
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			if _, err := r.Authenticate(t.Context(), "ada", "pw"); !errors.Is(err, step.want) {
				t.Errorf("after %s: %v, want %v", step.name, err, step.want)
			}
		}
		if err := r.Disable(t.Context(), "eve"); !errors.Is(err, ErrNotFound) {
			t.Errorf("unknown = %v, want ErrNotFound", err)
		}
	})
}

func TestSetPassword(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		h := cheap()
		r := NewRedis(b.client, prefix, h)
		before := mustAdd(t, r, New{Username: "ada", Password: "old", IsActive: true})
		if err := r.SetPassword(t.Context(), "ada", "new"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Authenticate(t.Context(), "ada", "old"); !errors.Is(err, ErrCredentials) {
			t.Errorf("the old password = %v", err)
		}
		after, err := r.Authenticate(t.Context(), "ada", "new")
		if err != nil {
			t.Fatalf("the new password: %v", err)
		}
		if !after.PasswordChanged.After(before.PasswordChanged) || !after.Created.Equal(before.Created) {
			t.Errorf("changed %v after %v, created %v", after.PasswordChanged, before.PasswordChanged, after.Created)
		}
		for password, want := range map[string]error{"": ErrInvalid, " x": ErrInvalid, "ok": nil} {
			if err := r.SetPassword(t.Context(), "ada", password); !errors.Is(err, want) {
				t.Errorf("SetPassword(%q) = %v, want %v", password, err, want)
			}
		}
		computed := h.Computed()
		if err := r.SetPassword(t.Context(), "eve", "pw"); !errors.Is(err, ErrNotFound) || h.Computed() != computed {
			t.Errorf("unknown = %v, hashes %d", err, h.Computed()-computed)
		}
	})
}

func TestUpdate(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedis(b.client, prefix, cheap())
		mustAdd(t, r, New{Username: "ada", Password: "pw", Email: "old@x", Attributes: map[string]any{"a": "1", "b": "2"}, IsActive: true})
		yes, email := true, "new@x"
		u, err := r.Update(t.Context(), "ada", Patch{Email: &email, IsStaff: &yes, Attributes: map[string]any{"b": "3"}})
		if err != nil {
			t.Fatal(err)
		}
		if u.Email != email || !u.IsStaff || u.IsSuperuser || !u.IsActive || len(u.Attributes) != 1 || u.Attributes["b"] != "3" {
			t.Errorf("Update = %+v", u)
		}
		if u, err = r.Update(t.Context(), "ada", Patch{}); err != nil || u.Email != email {
			t.Errorf("an empty patch = %+v, %v", u, err)
		}
		bad := "a\nb"
		for _, p := range []Patch{{Email: &bad}, {Attributes: map[string]any{"id": "2"}}} {
			if _, err := r.Update(t.Context(), "ada", p); !errors.Is(err, ErrInvalid) {
				t.Errorf("Update(%+v) = %v, want ErrInvalid", p, err)
			}
		}
		if err := r.RecordLogin(t.Context(), u.ID); err != nil {
			t.Fatal(err)
		}
		if u, err = r.ByID(t.Context(), u.ID); err != nil || u.LastLogin.Before(u.Created) {
			t.Errorf("last log-in %v, created %v, %v", u.LastLogin, u.Created, err)
		}
		if err := r.RecordLogin(t.Context(), "404"); !errors.Is(err, ErrNotFound) {
			t.Errorf("log-in of nobody = %v", err)
		}
	})
}

func TestRemove(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedis(b.client, prefix, cheap())
		mustAdd(t, r, New{Username: "ada", Password: "pw", IsActive: true})
		held, err := r.byName(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Remove(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
		if checkWholeOrAbsent(t, r, "ada", "1") {
			t.Error("still there")
		}
		if err := r.Remove(t.Context(), "ada"); !errors.Is(err, ErrNotFound) {
			t.Errorf("again = %v, want ErrNotFound", err)
		}
		again := mustAdd(t, r, New{Username: "ada", ID: "1", Password: "pw", IsActive: true})
		if err := r.write(t.Context(), held, "", "", fieldActive, "0"); !errors.Is(err, ErrNotFound) {
			t.Errorf("a change meant for the removed user = %v, want ErrNotFound", err)
		}
		if u, _ := r.ByID(t.Context(), again.ID); !u.IsActive {
			t.Error("it hit the one who came after")
		}
		if u := mustAdd(t, r, New{Username: "bob", NoPassword: true}); u.ID != "2" {
			t.Errorf("the removed user's id was given again: %s", u.ID)
		}
	})
}

func TestList(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedis(b.client, prefix, cheap())
		if page, next, err := r.List(t.Context(), 0, ""); len(page) != 0 || next != "" || err != nil {
			t.Errorf("of nobody = %v, %q, %v", page, next, err)
		}
		want := []string{"Zoe", "ab", "ab c", "abc", "é"}
		for i := range 20 {
			want = append(want, fmt.Sprintf("user-%02d", i))
		}
		for _, name := range want {
			mustAdd(t, r, New{Username: name, NoPassword: true})
		}
		slices.Sort(want)
		for _, limit := range []int{0, 1, 7, 25, 5000} {
			var got []string
			cursor := ""
			for {
				page, next, err := r.List(t.Context(), limit, cursor)
				if err != nil {
					t.Fatal(err)
				}
				if limit > 0 && len(page) > limit {
					t.Errorf("page of %d, limit %d", len(page), limit)
				}
				for _, u := range page {
					got = append(got, u.Username)
				}
				if cursor = next; cursor == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("limit %d: %q, want %q", limit, got, want)
			}
		}
		if _, _, err := r.List(t.Context(), 1, "!"); !errors.Is(err, ErrInvalid) {
			t.Errorf("a cursor of nobody's = %v, want ErrInvalid", err)
		}
	})
}
