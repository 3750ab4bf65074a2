package admin_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit/issuerkit"
)

const (
	importsPath = "/admin/v1/user-imports"
	eurHash     = "pbkdf2_sha256$1000$seasalt12$Di9DF4ZHt7PF4xPob7nuXzJHE+jlUsYaCdN+qp0HaPk="
	eurPassword = "p@ss w\u00f6rd \u20ac"
)

func TestImportUsers(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	k.Logs.Secret(eurHash, eurPassword)
	batch := []any{
		map[string]any{"id": "41", "username": "carol", "password_hash": eurHash, "last_login": "2024-05-06T07:08:09Z", "attributes": map[string]any{"groups": []string{"a"}}},
		map[string]any{"id": "1", "username": "alice", "email": "alice@x"},
		map[string]any{"id": "99", "username": "bob"},                              // is 2 here
		map[string]any{"id": "2", "username": "thief"},                             // bob's id
		map[string]any{"id": "43", "username": "erin", "password_hash": "md5$x$y"}, // legacy
		map[string]any{"id": "44", "username": "frank"},
	}
	send := func(update, dry bool) map[string]any {
		t.Helper()
		a := k.Control(t, "POST", importsPath, map[string]any{"users": batch, "update": update, "dry_run": dry})
		return wantDone(t, a, 200)
	}
	refused := []any{
		map[string]any{"index": number(2), "detail": `already exists: username "bob", with the id "2"`},
		map[string]any{"index": number(3), "detail": `already exists: id "2"`},
		map[string]any{"index": number(4), "detail": `invalid: password hash: a plain md5 or sha1 digest, or a DES one`},
	}
	want := map[string]any{"created": number(2), "updated": number(0), "skipped": number(1), "refused": refused, "emails_unique": false}
	if diff := cmp.Diff(want, send(false, true)); diff != "" {
		t.Errorf("dry run (-want +got):\n%s", diff)
	}
	if found := items(t, wantDone(t, k.Control(t, "GET", usersPath, nil), 200)); len(found) != 2 {
		t.Errorf("a dry run created: %v", found)
	}
	if diff := cmp.Diff(want, send(false, false)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	carol := wantDone(t, k.Control(t, "GET", usersPath+"/carol", nil), 200)
	if carol["id"] != "41" || carol["last_login"] != "2024-05-06T07:08:09Z" || carol["is_active"] != true {
		t.Errorf("%v", carol)
	}
	k.Post(t, "/api/token/", map[string]any{"username": "carol", "password": eurPassword}).Must(t, 200)
	k.Post(t, "/api/token/", map[string]any{"username": "frank", "password": ""}).Must(t, 400)

	if u := wantDone(t, k.Control(t, "GET", usersPath+"/alice", nil), 200); u["email"] != "" {
		t.Errorf("skipped, but changed: %v", u)
	}
	got := send(true, false)
	if got["updated"] != number(3) || got["created"] != number(0) {
		t.Errorf("update: %v", got)
	}
	if u := wantDone(t, k.Control(t, "GET", usersPath+"/alice", nil), 200); u["email"] != "alice@x" {
		t.Errorf("not updated: %v", u)
	}
	k.MustLogin(t, "alice") // the password stayed
}

// A user whom an import disables loses the sessions; also where an earlier import
// broke off between the two.
func TestImportThatDisables(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	bob := k.MustLogin(t, "bob")
	off := map[string]any{"update": true, "users": []any{map[string]any{"id": "1", "username": "alice", "is_active": false}}}
	for _, broken := range []bool{false, true} {
		k.Advance(time.Second)
		before := k.MustLogin(t, "alice")
		if broken {
			if err := k.Disable(t.Context(), "alice"); err != nil {
				t.Fatal(err)
			}
		}
		k.Control(t, "POST", importsPath, off).Must(t, 200)
		if k.Verify(t, before.Access) != 400 || k.Verify(t, bob.Access) != 200 {
			t.Errorf("broken %v: alice %d, bob %d", broken, k.Verify(t, before.Access), k.Verify(t, bob.Access))
		}
		if err := k.Enable(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestImportFaults(t *testing.T) {
	k := opened(t, issuerkit.Options{})
	many := make([]any, 201)
	for i := range many {
		many[i] = map[string]any{"username": "x"}
	}
	for name, body := range map[string]any{
		"too many": map[string]any{"users": many}, "unknown": map[string]any{"users": []any{map[string]any{"password": "x"}}},
		"wrong type": map[string]any{"users": "x"},
	} {
		t.Log(name)
		wantProblem(t, k.Control(t, "POST", importsPath, body), 400, "bad_request")
	}
	k.Mini.SetError("LOADING")
	wantProblem(t, k.Control(t, "POST", importsPath, map[string]any{"users": many[:1]}), 503, "unavailable")
	k.Mini.SetError("")
}
