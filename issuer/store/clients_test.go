package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
	"tollgate/issuer/store"
	"tollgate/keys"
)

// box is the clients on a running Redis, with what moves its clock on.
type box struct {
	*store.Clients
	redis redis.UniversalClient
	pass  func(time.Duration)
}

// onEach runs a test on miniredis and on a redis-server.
func onEach(t *testing.T, test func(t *testing.T, b box)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) {
		mini, client := testkit.MustMini(t)
		mini.SetTime(time.Now())
		test(t, box{store.NewClients(client, "t:"), client, mini.FastForward})
	})
	t.Run("redis-server", func(t *testing.T) {
		client := testkit.MustClient(t, testkit.MustStartRedis(t).Addr)
		test(t, box{store.NewClients(client, "t:"), client, func(d time.Duration) { time.Sleep(d + 5*time.Millisecond) }})
	})
}

func (b box) mustAdd(t *testing.T, c store.Client) (*store.Client, string) {
	t.Helper()
	added, secret, err := b.Add(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return added, secret
}

// keySet is the public key of RFC 7515 appendix A.3.
const keySet = `{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`

func TestClient(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		want := store.Client{
			ID: "reports", Name: "Nightly reports; ümlaut", Grants: store.Grants(), Scopes: []string{"shop:read", "a"},
			Audiences: []string{"https://shop.example", "x"}, AccessTTL: time.Minute, Algorithm: keys.RS256,
		}
		added, secret := b.mustAdd(t, want)
		if len(secret) < 43 || strings.ContainsAny(secret, " +/=%:") {
			t.Errorf("secret %q", secret)
		}
		if diff := cmp.Diff(want, *added, cmpopts.IgnoreUnexported(store.Client{}), cmpopts.IgnoreFields(store.Client{}, "Created")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if age := time.Since(added.Created); age < -time.Minute || age > time.Minute {
			t.Errorf("created %s", added.Created)
		}
		got, err := b.Get(t.Context(), "reports")
		if err != nil || !got.HasSecret(secret) || got.HasSecret(secret+"x") || got.HasSecret("") || !got.Allows(store.GrantRefreshToken) || got.Allows("password") {
			t.Errorf("%+v, %v", got, err)
		}
		if _, _, err := b.Add(t.Context(), want); !errors.Is(err, store.ErrExists) {
			t.Errorf("added again: %v", err)
		}
		if got, _ := b.Get(t.Context(), "reports"); !got.HasSecret(secret) {
			t.Error("the second creation changed the first client")
		}
		// The secret stands nowhere.
		for _, key := range b.redis.Keys(t.Context(), "*").Val() {
			if text := fmt.Sprint(b.redis.HGetAll(t.Context(), key).Val()); strings.Contains(text, secret) {
				t.Errorf("%s holds the secret", key)
			}
		}
		if _, err := b.Get(t.Context(), "nobody"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
		if err := b.Remove(t.Context(), "reports"); err != nil {
			t.Fatal(err)
		}
		if err := b.Remove(t.Context(), "reports"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("removed again: %v", err)
		}
		if left := b.redis.Keys(t.Context(), "*").Val(); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

func TestNobodyHasASecret(t *testing.T) {
	var nobody *store.Client
	for _, secret := range []string{"", "tgs_x", strings.Repeat("0", 64)} {
		if nobody.HasSecret(secret) || (&store.Client{}).HasSecret(secret) {
			t.Errorf("%q is a secret of nobody", secret)
		}
	}
}

func TestClientInvalid(t *testing.T) {
	_, client := testkit.MustMini(t)
	b := store.NewClients(client, "t:")
	private := strings.Replace(keySet, `"kty"`, `"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI","kty"`, 1)
	for name, row := range map[string]struct {
		client store.Client
		text   string
	}{
		"blank in id":       {store.Client{ID: "a b"}, "id is not"},
		"colon in id":       {store.Client{ID: "a:b"}, "id is not"},
		"slash in id":       {store.Client{ID: "a/b"}, "id is not"},
		"dot first":         {store.Client{ID: ".."}, "id is not"},
		"long id":           {store.Client{ID: strings.Repeat("a", 101)}, "id is not"},
		"control character": {store.Client{Name: "a\nb"}, "name is"},
		"long name":         {store.Client{Name: strings.Repeat("a", 201)}, "name is"},
		"password grant":    {store.Client{Grants: []string{"password"}}, `grant "password" is none of`},
		"scope":             {store.Client{Scopes: []string{`a"b`}}, "scope"},
		"two scopes in one": {store.Client{Scopes: []string{"a b"}}, "scope"},
		"scope twice":       {store.Client{Scopes: []string{"a", "a"}}, "stands twice"},
		"empty audience":    {store.Client{Audiences: []string{""}}, "audience"},
		"half a second":     {store.Client{AccessTTL: time.Second / 2}, "access_ttl"},
		"negative ttl":      {store.Client{AccessTTL: -time.Second}, "access_ttl"},
		"unknown algorithm": {store.Client{Algorithm: "HS256"}, `access_token_signing_alg "HS256" is none of`},
		"no algorithm":      {store.Client{Algorithm: "none"}, "access_token_signing_alg"},
		"no key set":        {store.Client{JWKS: json.RawMessage(`{}`)}, "jwks"},
		"no keys":           {store.Client{JWKS: json.RawMessage(`{"keys":[]}`)}, "jwks has not"},
		"a private key":     {store.Client{JWKS: json.RawMessage(private)}, "private member"},
		"a secret key":      {store.Client{JWKS: json.RawMessage(`{"keys":[{"kty":"oct","kid":"a","alg":"HS256","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}`)}, "jwks"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := b.Add(t.Context(), row.client); !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), row.text) {
				t.Errorf("%v, want %q", err, row.text)
			}
		})
	}
}

func TestChangeClient(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		ctx := t.Context()
		_, secret := b.mustAdd(t, store.Client{ID: "c", Name: "n", Scopes: []string{"a"}, Grants: store.Grants()})
		name, on, ttl, none := "other", true, time.Hour, []string{}
		got, err := b.Change(ctx, "c", store.Change{Name: &name, Disabled: &on, NoIntrospection: &on, AccessTTL: &ttl, Grants: &none})
		if err != nil || got.Name != name || !got.Disabled || !got.NoIntrospection || got.AccessTTL != ttl || len(got.Grants) != 0 || !slices.Equal(got.Scopes, []string{"a"}) || !got.HasSecret(secret) {
			t.Errorf("%+v, %v", got, err)
		}
		bad := []string{"a b"}
		if _, err := b.Change(ctx, "c", store.Change{Audiences: &bad}); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("invalid change: %v", err)
		}
		if _, err := b.Change(ctx, "nobody", store.Change{Name: &name}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
		// Keys take the place of the secret, in the form in which keys are published.
		got, err = b.Change(ctx, "c", store.Change{JWKS: json.RawMessage(keySet)})
		if err != nil || got.HasSecret(secret) || !strings.Contains(string(got.JWKS), `"kid"`) || got.Name != name {
			t.Errorf("%+v, %v", got, err)
		}
		// And a secret that of the keys.
		got, secret, err = b.Rotate(ctx, "c", time.Hour)
		if err != nil || !got.HasSecret(secret) || got.JWKS != nil || !got.OldUntil.IsZero() {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestRotateSecret(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		ctx := t.Context()
		const overlap = 300 * time.Millisecond
		_, first := b.mustAdd(t, store.Client{ID: "c"})
		got, second, err := b.Rotate(ctx, "c", overlap)
		if err != nil || !got.HasSecret(first) || !got.HasSecret(second) || first == second {
			t.Fatalf("%+v, %v", got, err)
		}
		if d := got.OldUntil.Sub(got.Rotated); d != overlap {
			t.Errorf("overlap of %s", d)
		}
		b.pass(overlap)
		if got, err = b.Get(ctx, "c"); err != nil || got.HasSecret(first) || !got.HasSecret(second) || !got.OldUntil.IsZero() {
			t.Errorf("after the overlap: %+v, %v", got, err)
		}
		_, third, err := b.Rotate(ctx, "c", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		got, fourth, err := b.Rotate(ctx, "c", time.Hour)
		if err != nil || got.HasSecret(second) || !got.HasSecret(third) || !got.HasSecret(fourth) {
			t.Errorf("rotated twice: the one before the last must hold and no other: %v", err)
		}
		if got, _, err = b.Rotate(ctx, "c", 0); err != nil || got.HasSecret(fourth) || !got.OldUntil.IsZero() {
			t.Errorf("without an overlap the old secret holds: %v", err)
		}
		if _, _, err := b.Rotate(ctx, "nobody", 0); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
		if _, _, err := b.Rotate(ctx, "c", -1); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("negative overlap: %v", err)
		}
	})
}

func TestListClients(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		var want []string
		for i := range 5 {
			c, _ := b.mustAdd(t, store.Client{Name: fmt.Sprint(i)})
			want = append(want, c.ID)
		}
		slices.Sort(want)
		var got []string
		for cursor := ""; ; {
			page, next, err := b.List(t.Context(), 2, cursor)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page {
				got = append(got, c.ID)
			}
			if cursor = next; cursor == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		if _, _, err := b.List(t.Context(), 1, "!"); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("cursor: %v", err)
		}
	})
}

// TestOnce: of many who bring one id at the same time exactly one is the first.
func TestOnce(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		// A life that no busy machine outlasts: each after the end would be a first one too.
		var first atomic.Int32
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if ok, err := b.Once(t.Context(), "client", "id", time.Hour); err != nil {
					t.Error(err)
				} else if ok {
					first.Add(1)
				}
			})
		}
		all.Wait()
		if first.Load() != 1 {
			t.Errorf("%d were the first", first.Load())
		}
		if ok, err := b.Once(t.Context(), "other", "id", time.Hour); err != nil || !ok {
			t.Errorf("another owner's: %v, %v", ok, err)
		}
		if ok, err := b.Once(t.Context(), "client", "short", 200*time.Millisecond); err != nil || !ok {
			t.Errorf("another id: %v, %v", ok, err)
		}
		b.pass(200 * time.Millisecond)
		if ok, err := b.Once(t.Context(), "client", "short", time.Hour); err != nil || !ok {
			t.Errorf("after its life: %v, %v", ok, err)
		}
		for _, key := range b.redis.Keys(t.Context(), "t:once:*").Val() {
			if b.redis.PTTL(t.Context(), key).Val() <= 0 {
				t.Errorf("%s has no TTL", key)
			}
		}
	})
}

func TestClientsUnavailable(t *testing.T) {
	mini, client := testkit.MustMini(t)
	b := store.NewClients(client, "t:")
	if _, _, err := b.Add(t.Context(), store.Client{ID: "c"}); err != nil {
		t.Fatal(err)
	}
	mini.Close()
	name := "n"
	for what, err := range map[string]error{
		"get":    second(b.Get(t.Context(), "c")),
		"add":    third(b.Add(t.Context(), store.Client{})),
		"change": second(b.Change(t.Context(), "c", store.Change{Name: &name})),
		"rotate": third(b.Rotate(t.Context(), "c", 0)),
		"remove": b.Remove(t.Context(), "c"),
		"list":   third(b.List(t.Context(), 0, "")),
		"once":   second(b.Once(t.Context(), "c", "id", time.Second)),
	} {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second[A any](_ A, err error) error        { return err }
func third[A, B any](_ A, _ B, err error) error { return err }
