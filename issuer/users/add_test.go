package users

import (
	"errors"
	"fmt"
	"testing"

	"tollgate/internal/testkit"
)

// A creation may fail at each of its commands, with or without the command having
// been executed, for once or for good. Afterwards the user is there whole, or the name and the id are free
// once the claim has expired; never a user who can be found one way only.
func TestCreationCutAtEachCommand(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		// The scripts are known to the server, so that each is one command.
		whole := NewRedis(b.client, prefix, cheap())
		mustAdd(t, whole, New{Username: "warm", ID: "1000", NoPassword: true})
		if err := whole.Remove(t.Context(), "warm"); err != nil {
			t.Fatal(err)
		}
		for i, kind := range []struct{ deaf, once bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
			finished := false
			for n := 0; n < 20 && !finished; n++ {
				name, id := fmt.Sprintf("u-%d-%d", i, n), fmt.Sprintf("i-%d-%d", i, n)
				r := NewRedis(mustCut(t, b.client, testkit.Cut{After: n, Deaf: kind.deaf, Once: kind.once}), prefix, cheap())
				_, err := r.Add(t.Context(), New{Username: name, ID: id, Password: "pw", IsActive: true})
				if err != nil && !errors.Is(err, ErrUnavailable) {
					t.Fatalf("cut at %d: %v", n, err)
				}
				finished = err == nil
				checkWholeOrAbsent(t, whole, name, id)
				b.expire(t)
				if !checkWholeOrAbsent(t, whole, name, id) {
					mustAdd(t, whole, New{Username: name, ID: id, Password: "pw", IsActive: true})
				}
				if !checkWholeOrAbsent(t, whole, name, id) {
					t.Errorf("cut at %d: the user is not there after all", n)
				}
			}
			if !finished {
				t.Error("no run came to its end: the test cuts too few commands")
			}
		}
	})
}

// checkWholeOrAbsent reports whether the user is there, by name, by id, in the list
// and to log in, and fails when these disagree.
func checkWholeOrAbsent(t *testing.T, r *Redis, name, id string) bool {
	t.Helper()
	_, byID := r.ByID(t.Context(), id)
	_, byName := r.ByName(t.Context(), name)
	_, login := r.Authenticate(t.Context(), name, "pw")
	list, _, err := r.List(t.Context(), 0, "")
	if err != nil {
		t.Fatal(err)
	}
	listed := 0
	for _, u := range list {
		if u.Username == name {
			listed++
		}
	}
	if there := byID == nil; (byName == nil) != there || (login == nil) != there || listed > 1 || (listed == 1) != there {
		t.Errorf("%s: by id %v, by name %v, log-in %v, listed %d times", name, byID, byName, login, listed)
	}
	return byID == nil
}

// A creation that was stopped for longer than its claim lives must not come back to
// life beside the one that took its name.
func TestLateCreationLoses(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedis(b.client, prefix, cheap())
		late := creation{r: r, name: "ada", claim: nonce()}
		fields := []any{claimLife.Milliseconds(), fieldUsername, "ada", fieldAttributes, "{}", fieldClaim, late.claim}
		if err := late.claimID(t.Context(), "7", fields, unusable); err != nil {
			t.Fatal(err)
		}
		if err := late.claimName(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Add(t.Context(), New{Username: "ada", NoPassword: true}); !errors.Is(err, ErrExists) {
			t.Fatalf("a name under creation = %v, want ErrExists", err)
		}
		if _, err := r.ByID(t.Context(), "7"); !errors.Is(err, ErrNotFound) {
			t.Errorf("an unconfirmed user is there: %v", err)
		}
		b.expire(t)
		second := mustAdd(t, r, New{Username: "ada", ID: "7", NoPassword: true})
		if ok, err := r.script.confirm.Run(t.Context(), r.client, []string{r.names.user("7")}, late.claim).Int(); ok != 0 || err != nil {
			t.Errorf("the late creation confirmed: %d, %v", ok, err)
		}
		late.giveBack(t.Context())
		if u, err := r.ByName(t.Context(), "ada"); err != nil || u.ID != second.ID || !u.Created.Equal(second.Created) {
			t.Errorf("the late creation's clean-up hit the second: %v, %v", u, err)
		}
	})
}

// The name of a creation that never came to its end leads to nobody, also when its
// id is somebody else's by then.
func TestDanglingNameIsNobodys(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedis(b.client, prefix, cheap())
		dead := creation{r: r, name: "ada", claim: nonce()}
		fields := []any{claimLife.Milliseconds(), fieldUsername, "ada", fieldAttributes, "{}", fieldClaim, dead.claim}
		if err := dead.claimID(t.Context(), "7", fields, unusable); err != nil {
			t.Fatal(err)
		}
		if err := dead.claimName(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.expire(t)
		mustAdd(t, r, New{Username: "bob", ID: "7", Password: "pw", IsActive: true})
		if u, err := r.ByName(t.Context(), "ada"); !errors.Is(err, ErrNotFound) {
			t.Errorf("ByName = %v, %v; want ErrNotFound", u, err)
		}
		if u, err := r.Authenticate(t.Context(), "ada", "pw"); !errors.Is(err, ErrCredentials) {
			t.Errorf("Authenticate = %v, %v; want ErrCredentials", u, err)
		}
		if u := mustAdd(t, r, New{Username: "ada", NoPassword: true}); u.ID == "7" {
			t.Error("the id was given twice")
		}
	})
}
