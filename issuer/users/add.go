package users

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// errTaken says that a claim met somebody else's record.
var errTaken = errors.New("taken")

// Add creates a user and returns it. ErrInvalid says what is wrong with it,
// ErrExists that the name, the given id or the e-mail address is taken. After ErrUnavailable the user
// may exist, and adding it again then answers ErrExists.
func (r *Redis) Add(ctx context.Context, n New) (User, error) {
	if err := errors.Join(n.Validate(), n.reachable()); err != nil {
		return User{}, err
	}
	attributes, err := encodeAttributes(n.Attributes)
	if err != nil {
		return User{}, err
	}
	hash, err := r.hashOf(ctx, n)
	if err != nil {
		return User{}, err
	}
	c := creation{r: r, name: n.Username, email: n.Email, claim: nonce()}
	fields := []any{
		claimLife.Milliseconds(),
		fieldUsername, n.Username, fieldEmail, n.Email, fieldAttributes, attributes,
		fieldActive, flag(n.IsActive), fieldStaff, flag(n.IsStaff), fieldSuperuser, flag(n.IsSuperuser),
		fieldClaim, c.claim, fieldMustChange, flag(n.MustChange),
	}
	if !n.LastLogin.IsZero() {
		fields = append(fields, fieldLastLogin, n.LastLogin.UnixMicro())
	}
	if err := c.run(ctx, n.ID, fields, hash); err != nil {
		c.giveBack(ctx)
		return User{}, err
	}
	return r.ByID(ctx, c.id)
}

// hashOf returns what is stored for a new user's password.
func (r *Redis) hashOf(ctx context.Context, n New) (string, error) {
	switch {
	case n.NoPassword:
		return unusable, nil
	case n.PasswordHash == "":
		return r.hasher.Hash(ctx, n.Password)
	}
	s, err := parseStored(n.PasswordHash)
	if err != nil {
		return "", err
	}
	return n.PasswordHash, r.note(ctx, s.cost)
}

// creation is one attempt to create a user, and what it holds so far.
type creation struct {
	r     *Redis
	name  string
	email string
	claim string // nonce that ties the name to the record
	id    string // claimed
}

func (c *creation) owner() owner { return owner{claim: c.claim, id: c.id} }

func (c *creation) run(ctx context.Context, id string, fields []any, hash string) error {
	if err := c.claimID(ctx, id, fields, hash); err != nil {
		return err
	}
	if err := c.claimName(ctx); err != nil {
		return err
	}
	if err := c.r.takeEmail(ctx, c.owner(), c.email); err != nil {
		return err
	}
	member := redis.Z{Member: listed(c.name, c.claim, c.id)}
	if err := c.r.client.ZAdd(ctx, c.r.names.list(), member).Err(); err != nil {
		return unavailable("list user", err)
	}
	ok, err := c.r.script.confirm.Run(ctx, c.r.client, []string{c.r.names.user(c.id)}, c.claim).Int()
	switch {
	case err != nil:
		return unavailable("confirm user", err)
	case ok == 0:
		return fmt.Errorf("%w: the creation took longer than its claim lives", ErrUnavailable)
	}
	return nil
}

// claimID takes the given id, or the next integer that is free.
func (c *creation) claimID(ctx context.Context, id string, fields []any, hash string) error {
	if id != "" {
		if err := c.reserve(ctx, id); err != nil {
			return err
		}
		if err := c.tryID(ctx, id, fields, hash); errors.Is(err, errTaken) {
			return fmt.Errorf("%w: id %q", ErrExists, id)
		} else if err != nil {
			return err
		}
		return nil
	}
	for {
		next, err := c.r.client.Incr(ctx, c.r.names.next()).Result()
		if err != nil {
			return unavailable("next id", err)
		}
		if err := c.tryID(ctx, strconv.FormatInt(next, 10), fields, hash); !errors.Is(err, errTaken) {
			return err
		}
	}
}

// reserve keeps the counter above an integer that was chosen by hand, so that an
// import of ten thousand users does not make the next creation try each of them.
func (c *creation) reserve(ctx context.Context, id string) error {
	n, err := strconv.ParseUint(id, 10, 63)
	if err != nil || len(id) > 15 || strconv.FormatUint(n, 10) != id {
		return nil // not an id that the counter could ever give
	}
	if err := c.r.script.reserve.Run(ctx, c.r.client, []string{c.r.names.next()}, id).Err(); err != nil {
		return unavailable("reserve id", err)
	}
	return nil
}

func (c *creation) tryID(ctx context.Context, id string, fields []any, hash string) error {
	args := append(fields[:len(fields):len(fields)], fieldID, id, fieldPassword, hash)
	at, err := c.r.script.claim.Run(ctx, c.r.client, []string{c.r.names.user(id)}, args...).Text()
	switch {
	case err != nil:
		c.id = id // it may be ours: let giveBack try
		return unavailable("claim id", err)
	case at == "":
		return errTaken
	}
	c.id = id
	return nil
}

// claimName takes the name, also from a creation that never came to its end.
func (c *creation) claimName(ctx context.Context) error {
	ok, err := c.r.take(ctx, c.r.names.username(c.name), c.owner(), func(string, string) bool { return true })
	if err == nil && !ok {
		return fmt.Errorf("%w: username %q", ErrExists, c.name)
	}
	return err
}

// giveBack undoes what a failed creation holds. What it cannot reach expires, or is
// taken over by whoever wants it.
func (c *creation) giveBack(ctx context.Context) {
	if c.id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = c.r.forget(ctx, c.name, c.email, c.owner())
}

// forget removes a record, its name, its e-mail address and its place in the list,
// each only if it is still the one meant. The record goes first: without it the
// others point to nothing.
func (r *Redis) forget(ctx context.Context, name, email string, o owner) error {
	if err := r.script.release.Run(ctx, r.client, []string{r.names.user(o.id)}, o.claim).Err(); err != nil {
		return unavailable("remove user", err)
	}
	if err := r.script.unname.Run(ctx, r.client, []string{r.names.username(name)}, o.claim, o.id).Err(); err != nil {
		return unavailable("remove name", err)
	}
	if err := r.dropEmail(ctx, o, email); err != nil {
		return err
	}
	if err := r.client.ZRem(ctx, r.names.list(), listed(name, o.claim, o.id)).Err(); err != nil {
		return unavailable("unlist user", err)
	}
	return nil
}

func nonce() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b[:])
}
