package users

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/testkit"
)

// Whatever is wrong with a log-in: one hash, the same error, the same calls.
func TestRefusalsCostTheSame(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		h := cheap()
		r := NewRedis(b.client, prefix, h)
		mustAdd(t, r, New{Username: "ada", Password: "pw", IsActive: true})
		mustAdd(t, r, New{Username: "off", Password: "pw"})
		mustAdd(t, r, New{Username: "locked", NoPassword: true, IsActive: true})
		for _, tt := range []struct{ name, login, password string }{
			{"wrong password", "ada", "pw2"},
			{"no password", "ada", ""},
			{"other case", "ADA", "pw"},
			{"unknown", "eve", "pw"},
			{"no name", "", ""},
			{"name out of bounds", strings.Repeat("x\x00", 5000), "pw"},
			{"inactive, right password", "off", "pw"},
			{"inactive, wrong password", "off", "no"},
			{"unusable password", "locked", unusable},
			{"password out of bounds", "ada", strings.Repeat("p", maxPasswordBytes+1)},
		} {
			before, commands := h.Computed(), &counter{}
			client := testkit.MustClient(t, addr(b))
			client.Ping(t.Context()) // connects: the handshake is no command of ours
			client.AddHook(testkit.Hook(commands.note))
			_, err := NewRedis(client, prefix, h).Authenticate(t.Context(), tt.login, tt.password)
			if err != ErrCredentials { //nolint:errorlint // not even the text may differ
				t.Errorf("%s: %v, want ErrCredentials itself", tt.name, err)
			}
			if n := h.Computed() - before; n != 1 {
				t.Errorf("%s: computed %d hashes, want 1", tt.name, n)
			}
			if got := commands.list(); !slices.Equal(got, []string{"smembers", "get", "hgetall"}) {
				t.Errorf("%s: asked Redis %v", tt.name, got)
			}
		}
	})
}

func TestOldHashIsRenewedAtLogin(t *testing.T) {
	onEach(t, func(t *testing.T, b box) {
		r := NewRedis(b.client, prefix, NewHasher(2))
		ada := mustAdd(t, r, New{Username: "ada", NoPassword: true, IsActive: true})
		const old = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
		key := r.names.user(ada.ID)
		b.client.HSet(t.Context(), key, fieldPassword, old)
		if _, err := r.Authenticate(t.Context(), "ada", "wrong"); !errors.Is(err, ErrCredentials) {
			t.Fatal(err)
		}
		if got := b.client.HGet(t.Context(), key, fieldPassword).Val(); got != old {
			t.Error("a wrong password renewed the hash")
		}
		u, err := r.Authenticate(t.Context(), "ada", "password")
		if err != nil || !u.PasswordChanged.Equal(ada.PasswordChanged) {
			t.Fatalf("Authenticate = %v, %v", u, err)
		}
		if got := b.client.HGet(t.Context(), key, fieldPassword).Val(); !strings.Contains(got, "m=19456,t=2,p=1") {
			t.Errorf("hash not renewed: %.40s", got)
		}
		if _, err := r.Authenticate(t.Context(), "ada", "password"); err != nil {
			t.Errorf("with the renewed hash: %v", err)
		}
		// A password that was changed meanwhile is not overwritten.
		rec, _ := r.byName(t.Context(), "ada")
		rec.password = old
		r.renew(t.Context(), rec, "password2")
		if _, err := r.Authenticate(t.Context(), "ada", "password"); err != nil {
			t.Errorf("renewing overwrote a newer hash: %v", err)
		}
	})
}

// counter notes the commands that a client sends.
type counter struct {
	mu    sync.Mutex
	names []string
}

func (c *counter) note(do func() error, cmds ...redis.Cmder) error {
	c.mu.Lock()
	for _, cmd := range cmds {
		c.names = append(c.names, cmd.Name())
	}
	c.mu.Unlock()
	return do()
}

func (c *counter) list() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.names
}

func addr(b box) string { return b.client.(*redis.Client).Options().Addr }
