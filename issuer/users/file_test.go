package users

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tollgate/internal/testkit"

	"github.com/google/go-cmp/cmp"
)

const (
	adaHash = "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q" // secret
	bobHash = "$2y$04$abcdefghijklmnopqrstuujI2VRA3XYFsSEZ31xQVM5jA7DqI8ZZ2" // djangoPassword
)

const usersYAML = `
users:
  - username: ada
    id: 7
    email: Ada@Example.com
    password: "` + adaHash + `"
    attributes: {tenant: acme, big: 9007199254740993, groups: [a, b]}
    is_staff: true
  - {username: bob, password: "` + bobHash + `", is_active: false}
  - {username: eve}
`

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mustFile(t *testing.T, text string, c FileConfig) (f *File, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "users")
	mustWrite(t, path, text)
	f, err := OpenFile(path, NewHasher(2), c)
	if err != nil {
		t.Fatal(err)
	}
	return f, path
}

func TestFileOfUsers(t *testing.T) {
	f, _ := mustFile(t, usersYAML, FileConfig{})
	want := User{
		ID: "7", Username: "ada", Email: "Ada@Example.com", IsActive: true, IsStaff: true,
		Attributes: map[string]any{"tenant": "acme", "big": json.Number("9007199254740993"), "groups": []any{"a", "b"}},
	}
	got, err := f.Authenticate(t.Context(), "ada", "secret")
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if u, err := f.ByID(t.Context(), "bob"); err != nil || u.IsActive {
		t.Errorf("bob, whose id is his name: %+v, %v", u, err)
	}
	if _, err := f.ByID(t.Context(), "ada"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an id that nobody has = %v", err)
	}
	var computed []uint64
	for login, password := range map[string]string{
		"ada": "secrets", "bob": djangoPassword, "eve": "", "nobody": "x", "ADA": "secret", "Ada@Example.com": "secret", "": unusable,
	} {
		before := f.hasher.Computed()
		if known := login == "ada" || login == "bob" || login == "eve"; f.Knows(t.Context(), login) != known {
			t.Errorf("Knows(%q) = %t", login, !known)
		}
		if _, err := f.Authenticate(t.Context(), login, password); err != ErrCredentials { //nolint:errorlint // not even the text may differ
			t.Errorf("%q = %v", login, err)
		}
		computed = append(computed, f.hasher.Computed()-before)
	}
	if len(slices.Compact(computed)) != 1 {
		t.Errorf("refusals cost %v", computed)
	}
	mail, _ := mustFile(t, usersYAML, FileConfig{LoginByEmail: true})
	if u, err := mail.Authenticate(t.Context(), "aDA@example.COM", "secret"); err != nil || u.ID != "7" {
		t.Errorf("by e-mail = %v, %v", u.ID, err)
	}
	for _, login := range []string{"ada", ""} {
		if _, err := mail.Authenticate(t.Context(), login, "secret"); !errors.Is(err, ErrCredentials) {
			t.Errorf("%q = %v", login, err)
		}
	}
}

func TestHtpasswd(t *testing.T) {
	f, _ := mustFile(t, "# made by htpasswd -B\n\nada:"+adaHash+"\r\nbob:"+bobHash+":more\n", FileConfig{})
	for login, password := range map[string]string{"ada": "secret", "bob": djangoPassword} {
		if u, err := f.Authenticate(t.Context(), login, password); err != nil || u.ID != login || !u.IsActive {
			t.Errorf("%s = %+v, %v", login, u, err)
		}
	}
}

func TestFileFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		text, want string
		byEmail    bool
	}{
		"plain password":     {"ada:secret-plain", "line 1", false},
		"sha htpasswd":       {"ok:" + bobHash + "\nada:{SHA}secret-plain", "line 2", false},
		"no colon":           {"ok:" + bobHash + "\nsecret-plain", "line 2", false},
		"twice":              {"ada:" + bobHash + "\nada:" + bobHash, "line 2", false},
		"unknown field":      {"users:\n  - {username: ada, passwort: secret-plain}", "passwort", false},
		"yaml of another":    {"users: secret-plain", "1:8", false},
		"same id":            {"users:\n  - {username: ada, id: x}\n  - {username: bob, id: x}", `user 2 ("bob")`, false},
		"id of another":      {"users:\n  - {username: ada}\n  - {username: bob, id: ada}", `user 2 ("bob")`, false},
		"same email":         {"users:\n  - {username: ada, email: A@x}\n  - {username: bob, email: a@X}", `user 2 ("bob")`, true},
		"own attribute":      {"users:\n  - {username: ada, attributes: {email: x}}", "reserved", false},
		"no name":            {"users:\n  - {id: 7}", "username is empty", false},
		"two documents":      {"users: []\n---\nusers: []", "more than one", false},
		"hash of no kind":    {"users:\n  - {username: ada, password: secret-plain}", "not a hash", false},
		"legacy":             {"users:\n  - {username: ada, password: md5$secret-plain$x}", "md5", false},
		"every one is named": {"users:\n  - {id: 7}\n  - {username: bob, password: x}", `user 2 ("bob")`, false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "users")
			mustWrite(t, path, tt.text)
			_, err := OpenFile(path, cheap(), FileConfig{LoginByEmail: tt.byEmail})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("OpenFile = %v, want %q in it", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret-plain") {
				t.Errorf("the error repeats what may be a secret: %v", err)
			}
		})
	}
	if _, err := OpenFile(filepath.Join(t.TempDir(), "none"), cheap(), FileConfig{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file = %v", err)
	}
}

// A change of the file is in force at the next look; a bad file is not, and whose
// sessions must end is told until it was heard.
func TestFileIsReadAgain(t *testing.T) {
	var log strings.Builder
	var ended []string
	deaf := true
	f, path := mustFile(t, "ada:"+adaHash+"\nbob:"+bobHash+"\neve:"+bobHash+"\n", FileConfig{
		Log: slog.New(slog.NewTextHandler(&log, nil)),
		Ended: func(_ context.Context, u User) error {
			if deaf {
				return ErrUnavailable
			}
			ended = append(ended, u.ID)
			return nil
		},
	})
	if err := f.Reload(t.Context()); err != nil || log.Len() > 0 {
		t.Errorf("nothing has changed: %v, %s", err, log.String())
	}
	mustWrite(t, path, "ada:secret-plain")
	for range 3 {
		if err := f.Reload(t.Context()); err == nil {
			t.Error("a bad file was taken")
		}
	}
	if _, err := f.Authenticate(t.Context(), "ada", "secret"); err != nil {
		t.Errorf("with a bad file beside: %v", err)
	}
	if strings.Count(log.String(), "level=ERROR") != 1 || strings.Contains(log.String(), "secret-plain") {
		t.Errorf("log: %s", log.String())
	}
	// ada has another password, bob is gone, eve stays, zoe is new.
	mustWrite(t, path, "ada:"+bobHash+"\neve:"+bobHash+"\nzoe:"+bobHash+"\n")
	if err := f.Reload(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Reload = %v, want what Ended said", err)
	}
	if _, err := f.Authenticate(t.Context(), "ada", "secret"); !errors.Is(err, ErrCredentials) {
		t.Errorf("the old password = %v", err)
	}
	deaf = false
	for range 2 {
		if err := f.Reload(t.Context()); err != nil {
			t.Error(err)
		}
	}
	slices.Sort(ended)
	if !slices.Equal(ended, []string{"ada", "bob"}) {
		t.Errorf("sessions ended of %v", ended)
	}
	if _, err := f.ByID(t.Context(), "bob"); !errors.Is(err, ErrNotFound) {
		t.Errorf("bob = %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := f.Reload(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without the file = %v", err)
	}
	if _, err := f.Authenticate(t.Context(), "zoe", djangoPassword); err != nil {
		t.Errorf("without the file: %v", err)
	}
}

func TestFileIsLookedAt(t *testing.T) {
	f, path := mustFile(t, "ada:"+adaHash, FileConfig{Poll: 1})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.Run(ctx) }()
	mustWrite(t, path, "zoe:"+adaHash)
	testkit.MustAwait(t, "zoe is there", func() bool { _, err := f.ByID(ctx, "zoe"); return err == nil })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestExposedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	mustWrite(t, path, "")
	for mode, want := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true, 0o604: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if got := ExposedFile(path); got != want {
			t.Errorf("%o: %v", mode, got)
		}
	}
	if ExposedFile(path + "x") {
		t.Error("a file that is not there is exposed")
	}
}
