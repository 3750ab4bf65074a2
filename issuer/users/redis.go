package users

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Redis keeps users in Redis: standalone, Sentinel or Cluster. It is a Directory
// and what the admin API changes users through. It is safe for concurrent use.
type Redis struct {
	client redis.UniversalClient
	names  names
	hasher *Hasher
	script scripts
}

var _ Directory = (*Redis)(nil)

// NewRedis returns the users under prefix ("tg:"). It does not connect.
func NewRedis(client redis.UniversalClient, prefix string, h *Hasher) *Redis {
	return &Redis{client: client, names: names{prefix}, hasher: h, script: loadScripts()}
}

// Authenticate returns the active user with this name and password. Whatever is
// wrong with them, it makes the same calls and computes the same number of hashes
// before it answers ErrCredentials.
func (r *Redis) Authenticate(ctx context.Context, login, password string) (User, error) {
	rec, err := r.byName(ctx, login)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return User{}, err
	}
	hash := rec.password
	if len(password) > maxPasswordBytes { // nobody has it; do not hash megabytes
		hash, password = unusable, ""
	}
	ok, rehash, err := r.hasher.Verify(ctx, hash, password)
	switch {
	case err != nil:
		return User{}, err
	case !ok || !rec.user.IsActive:
		return User{}, ErrCredentials
	}
	if rehash {
		r.renew(ctx, rec, password)
	}
	return rec.user, nil
}

// renew replaces a hash of another cost after its password proved right. It does
// so only while that hash still stands, and its failure is no reason to refuse the
// log-in: the next one tries again.
func (r *Redis) renew(ctx context.Context, rec record, password string) {
	hash, err := r.hasher.Hash(ctx, password)
	if err != nil {
		return
	}
	_, _ = r.script.update.Run(ctx, r.client, []string{r.names.user(rec.user.ID)},
		rec.claim, "", rec.password, fieldPassword, hash).Int()
}

// ByID returns the user with this id, active or not, or ErrNotFound.
func (r *Redis) ByID(ctx context.Context, id string) (User, error) {
	rec, err := r.byID(ctx, id)
	return rec.user, err
}

// ByName returns the user with this name, active or not, or ErrNotFound.
func (r *Redis) ByName(ctx context.Context, name string) (User, error) {
	rec, err := r.byName(ctx, name)
	return rec.user, err
}

// byID returns a confirmed record, or ErrNotFound.
func (r *Redis) byID(ctx context.Context, id string) (record, error) {
	fields, err := r.client.HGetAll(ctx, r.names.user(id)).Result()
	if err != nil {
		return record{}, unavailable("read user", err)
	}
	rec, err := parseRecord(fields)
	if err == nil && rec.pending {
		err = ErrNotFound
	}
	if err != nil {
		return record{}, err
	}
	return rec, nil
}

// byName returns the confirmed record that a name points to, or ErrNotFound. An
// unknown name costs both reads too.
func (r *Redis) byName(ctx context.Context, name string) (record, error) {
	value, err := r.client.Get(ctx, r.names.username(name)).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return record{}, unavailable("read name", err)
	}
	claim, id, _ := strings.Cut(value, ":")
	rec, err := r.byID(ctx, id)
	if err == nil && rec.claim != claim { // the id was given to somebody else since
		return record{}, ErrNotFound
	}
	return rec, err
}

func unavailable(doing string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, doing, err)
}
