package users

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
)

func TestAddAndRead(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedis(b.client, prefix, cheap())
		attributes := map[string]any{"tenant": "acme", "big": json.Number("9007199254740993"), "deep": map[string]any{"a": []any{true, nil}}}
		ada := mustAdd(t, r, New{
			Username: "ada", Password: "pw", Email: "ada@example.com", Attributes: attributes, IsActive: true, IsStaff: true,
		})
		want := User{
			ID: "1", Username: "ada", Email: "ada@example.com", Attributes: attributes, IsActive: true, IsStaff: true,
			Created: ada.Created, PasswordChanged: ada.Created,
		}
		if diff := cmp.Diff(want, ada); diff != "" {
			t.Errorf("Add (-want +got):\n%s", diff)
		}
		if age := time.Since(ada.Created); age < -time.Minute || age > time.Minute || ada.Created.Location() != time.UTC {
			t.Errorf("created %v ago", age)
		}
		for how, got := range map[string]func() (User, error){
			"ByID":         func() (User, error) { return r.ByID(t.Context(), "1") },
			"ByName":       func() (User, error) { return r.ByName(t.Context(), "ada") },
			"Authenticate": func() (User, error) { return r.Authenticate(t.Context(), "ada", "pw") },
		} {
			u, err := got()
			if diff := cmp.Diff(want, u); err != nil || diff != "" {
				t.Errorf("%s: %v (-want +got):\n%s", how, err, diff)
			}
		}
		for _, id := range []string{"", "2", "ada", "{1}"} {
			if _, err := r.ByID(t.Context(), id); !errors.Is(err, ErrNotFound) {
				t.Errorf("ByID(%q) = %v, want ErrNotFound", id, err)
			}
		}
		if _, err := r.ByName(t.Context(), "Ada"); !errors.Is(err, ErrNotFound) {
			t.Errorf("names fold case: %v", err)
		}
	})
}

func TestIDs(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedis(b.client, prefix, cheap())
		add := func(name, id string) string {
			t.Helper()
			return mustAdd(t, r, New{Username: name, ID: id, NoPassword: true}).ID
		}
		for _, step := range []struct{ name, id, want string }{
			{"first", "", "1"},
			{"chosen", "5000", "5000"},
			{"after the chosen", "", "5001"},
			{"lower", "3", "3"},
			{"after the lower", "", "5002"},
			{"uuid", "0b0c{7}", "0b0c{7}"},
			{"leading zero", "009000", "009000"},
			{"too long to count", "9223372036854775807", "9223372036854775807"},
			{"after them", "", "5003"},
		} {
			if got := add(step.name, step.id); got != step.want {
				t.Errorf("%s: id %s, want %s", step.name, got, step.want)
			}
		}
		if _, err := r.Add(t.Context(), New{Username: "other", ID: "5000", NoPassword: true}); !errors.Is(err, ErrExists) {
			t.Errorf("a taken id = %v, want ErrExists", err)
		}
		// A record that stands where the counter comes to is passed over.
		b.client.Set(t.Context(), r.names.next(), "2", 0)
		if got := add("over the hurdle", ""); got != "4" {
			t.Errorf("id %s, want 4: 3 is taken", got)
		}
	})
}

func TestTakenNameGivesItsIDBack(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedis(b.client, prefix, cheap())
		mustAdd(t, r, New{Username: "ada", Password: "pw", IsActive: true})
		if _, err := r.Add(t.Context(), New{Username: "ada", ID: "77", Password: "other"}); !errors.Is(err, ErrExists) {
			t.Fatalf("a taken name = %v, want ErrExists", err)
		}
		if n := b.client.Exists(t.Context(), r.names.user("77")).Val(); n != 0 {
			t.Error("the id is still held")
		}
		if u := mustAdd(t, r, New{Username: "bob", ID: "77", NoPassword: true}); u.ID != "77" {
			t.Errorf("id %s", u.ID)
		}
		if u, err := r.Authenticate(t.Context(), "ada", "pw"); err != nil || u.ID != "1" {
			t.Errorf("the first holder of the name: %v, %v", u.ID, err)
		}
	})
}

func TestOneWinnerOfAName(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedis(b.client, prefix, cheap())
		var wg sync.WaitGroup
		var mu sync.Mutex
		var won []string
		for range 50 {
			wg.Go(func() {
				u, err := r.Add(t.Context(), New{Username: "ada", NoPassword: true})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won = append(won, u.ID)
				} else if !errors.Is(err, ErrExists) {
					t.Errorf("Add: %v", err)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Fatalf("%d creations of one name succeeded: %v", len(won), won)
		}
		if u, err := r.ByName(t.Context(), "ada"); err != nil || u.ID != won[0] {
			t.Errorf("the name is %s's (%v), the winner %s", u.ID, err, won[0])
		}
		if n := len(mustKeys(t, b.client)); n != 4 {
			t.Errorf("%d keys, want record, name, list, counter: %v", n, mustKeys(t, b.client))
		}
	})
}

func TestNoKeyExpiresOnceTheUserExists(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedis(b.client, prefix, cheap())
		mustAdd(t, r, New{Username: "ada", NoPassword: true})
		mustAdd(t, r, New{Username: "bob", ID: "9", NoPassword: true})
		kept := []string{r.names.user("1"), r.names.user("9"), r.names.username("ada"), r.names.username("bob"), r.names.list(), r.names.next()}
		got := mustKeys(t, b.client)
		slices.Sort(got)
		slices.Sort(kept)
		if diff := cmp.Diff(kept, got); diff != "" {
			t.Errorf("keys (-listed in names.go +there):\n%s", diff)
		}
		for _, key := range got {
			if ttl := b.client.TTL(t.Context(), key).Val(); ttl != -1 {
				t.Errorf("%s has TTL %v", key, ttl)
			}
		}
	})
}

// A cluster refuses a script or a transaction over two slots.
func TestEveryCallWorksOnTopologies(t *testing.T) { onTopologies(t, wantEveryCall) }

func wantEveryCall(t *testing.T, client redis.UniversalClient) {
	r := NewRedis(client, prefix, cheap())
	for i := range 30 { // names and ids in many slots
		name := fmt.Sprintf("user-%02d", i)
		u := mustAdd(t, r, New{Username: name, Password: "pw", IsActive: true})
		_, err1 := r.Authenticate(t.Context(), name, "pw")
		_, err2 := r.Add(t.Context(), New{Username: name, NoPassword: true})
		if err1 != nil || !errors.Is(err2, ErrExists) {
			t.Fatalf("log-in %v, second creation %v", err1, err2)
		}
		if err := errors.Join(r.SetPassword(t.Context(), name, "pw2"), r.Disable(t.Context(), name),
			r.Enable(t.Context(), name), r.RecordLogin(t.Context(), u.ID)); err != nil {
			t.Fatal(err)
		}
	}
	if page, _, err := r.List(t.Context(), 0, ""); err != nil || len(page) != 30 {
		t.Errorf("List = %d users, %v", len(page), err)
	}
	if err := r.Remove(t.Context(), "user-07"); err != nil {
		t.Error(err)
	}
	mustAdd(t, r, New{Username: "user-07", NoPassword: true})
}

// With the server gone every call says so, and says nothing else.
func TestUnavailable(t *testing.T) {
	server := testkit.MustStartRedis(t)
	r := NewRedis(testkit.MustClient(t, server.Addr), prefix, cheap())
	mustAdd(t, r, New{Username: "ada", Password: "s3cret-pass", IsActive: true})
	server.MustKill()
	for how, call := range map[string]func() error{
		"Authenticate": func() error { _, err := r.Authenticate(t.Context(), "ada", "s3cret-pass"); return err },
		"Add":          func() error { _, err := r.Add(t.Context(), New{Username: "b", Password: "s3cret-pass"}); return err },
		"ByID":         func() error { _, err := r.ByID(t.Context(), "1"); return err },
		"List":         func() error { _, _, err := r.List(t.Context(), 0, ""); return err },
		"SetPassword":  func() error { return r.SetPassword(t.Context(), "ada", "s3cret-pass") },
		"Disable":      func() error { return r.Disable(t.Context(), "ada") },
	} {
		err := call()
		if !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrCredentials) || errors.Is(err, ErrNotFound) {
			t.Errorf("%s = %v, want ErrUnavailable", how, err)
		}
		if strings.Contains(fmt.Sprintf("%+v", err), "s3cret") {
			t.Errorf("%s: the error tells the password: %v", how, err)
		}
	}
}
