package admin_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/testkit/issuerkit"
)

const usersPath = "/admin/v1/users"

func TestAddUser(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	const password = "a password; of 100% carol"
	k.Logs.Secret(password)
	a := k.Send(t, issuerkit.Request{
		Path: usersPath, Admin: true, Header: issuerkit.Bearer(issuerkit.AdminToken),
		Body: `{"username":"carol","password":"` + password + `","id":"c-7","email":"c@example.com","attributes":{"tenant":9007199254740993,"x":[false]},"is_staff":true}`,
	})
	body := wantDone(t, a, 201)
	want := map[string]any{
		"id": "c-7", "username": "carol", "email": "c@example.com", "is_active": true, "is_staff": true, "is_superuser": false, "must_change_password": false, "last_login": nil,
		"attributes": map[string]any{"tenant": json.Number("9007199254740993"), "x": []any{false}}, "created_at": body["created_at"],
	}
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	k.Post(t, "/api/token/", map[string]any{"username": "carol", "password": password}).Must(t, 200)

	plain := wantDone(t, k.Control(t, "POST", usersPath, map[string]any{"username": "dave", "password": issuerkit.Password}), 201)
	if plain["id"] != "1" || plain["is_active"] != true || len(plain["attributes"].(map[string]any)) != 0 {
		t.Errorf("%v", plain)
	}
	wantDone(t, k.Control(t, "POST", usersPath, map[string]any{"username": "erin", "password": issuerkit.Password, "is_active": false}), 201)
	k.Post(t, "/api/token/", map[string]any{"username": "erin", "password": issuerkit.Password}).Must(t, 401)

	for name, body := range map[string]map[string]any{
		"name": {"username": "carol", "password": "another"}, "id": {"username": "frank", "password": "another", "id": "c-7"},
	} {
		a := k.Control(t, "POST", usersPath, body)
		wantProblem(t, a, 409, "exists")
		if strings.Contains(a.Body, "another") {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	for name, row := range map[string]struct {
		body   map[string]any
		detail string
	}{
		"no name":            {map[string]any{"password": "secret-x"}, "username is empty"},
		"blank around":       {map[string]any{"username": " x", "password": "secret-x"}, "username starts or ends with white space"},
		"long name":          {map[string]any{"username": strings.Repeat("ä", 151), "password": "secret-x"}, "username is longer than 150 characters"},
		"no password":        {map[string]any{"username": "x"}, "password is empty"},
		"long password":      {map[string]any{"username": "x", "password": strings.Repeat("secret-x", 600)}, "password is longer than 4096 bytes"},
		"blank password":     {map[string]any{"username": "x", "password": " secret-x"}, "password starts or ends with white space"},
		"reserved attribute": {map[string]any{"username": "x", "password": "secret-x", "attributes": map[string]any{"email": 1}}, `attribute name "email" is reserved`},
		"long id":            {map[string]any{"username": "x", "password": "secret-x", "id": strings.Repeat("i", 256)}, "id is longer than 255 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			a := k.Control(t, "POST", usersPath, row.body)
			wantProblem(t, a, 422, "invalid")
			if a.Map(t)["detail"] != row.detail || strings.Contains(a.Body, "secret-x") {
				t.Errorf("detail %s", a.Body)
			}
		})
	}
}

func TestListUsers(t *testing.T) {
	k := issuerkit.MustOpen(t, issuerkit.Options{})
	list := func(query string) ([]string, string) {
		t.Helper()
		body := wantDone(t, k.Control(t, "GET", usersPath+query, nil), 200)
		var names []string
		for _, u := range items(t, body) {
			names = append(names, u["username"].(string))
		}
		return names, body["next"].(string)
	}
	if names, next := list(""); len(names) > 0 || next != "" {
		t.Errorf("an empty store lists %v", names)
	}
	var want []string
	for i := range 5 {
		want = append(want, fmt.Sprint("user-", i))
		wantDone(t, k.Control(t, "POST", usersPath, map[string]any{"username": want[i], "password": issuerkit.Password}), 201)
	}
	if names, next := list(""); !slices.Equal(names, want) || next != "" {
		t.Errorf("%v, next %q", names, next)
	}
	var paged []string
	for query := "?limit=2"; ; {
		names, next := list(query)
		paged = append(paged, names...)
		if next == "" {
			break
		}
		query = "?limit=2&cursor=" + url.QueryEscape(next)
	}
	if !slices.Equal(paged, want) {
		t.Errorf("by pages: %v", paged)
	}
	body := wantDone(t, k.Control(t, "GET", usersPath+"?limit=1", nil), 200)
	members := slices.Sorted(maps.Keys(items(t, body)[0]))
	if !slices.Equal(members, []string{"attributes", "created_at", "email", "id", "is_active", "is_staff", "is_superuser", "last_login", "must_change_password", "username"}) {
		t.Errorf("members %v", members)
	}
	for query, status := range map[string]int{"?limit=0": 400, "?limit=x": 400, "?limit=1001": 400, "?cursor=%21": 400} {
		k.Control(t, "GET", usersPath+query, nil).Must(t, status)
	}
}
