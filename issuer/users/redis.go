package users

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// Settings of a directory in Redis. The zero value is good.
type Settings struct {
	// LoginByEmail says that users log in with their e-mail address, whatever its
	// case; no two users may share one then. Zero: with their name.
	LoginByEmail bool
	// RecordLogins dates each user's last log-in. Zero: it is not recorded.
	RecordLogins bool
	// Log gets a line where something failed that is no reason to refuse a log-in.
	// Nil: nothing is logged.
	Log *slog.Logger
}

// Redis keeps users in Redis: standalone, Sentinel or Cluster. It is a Directory
// and what the admin API changes users through. It is safe for concurrent use.
type Redis struct {
	client   redis.UniversalClient
	names    names
	hasher   *Hasher
	settings Settings
	script   scripts
	kinds    kinds
}

var _ Directory = (*Redis)(nil)

// NewRedis returns the users under prefix ("tg:"). It does not connect.
func NewRedis(client redis.UniversalClient, prefix string, h *Hasher) *Redis {
	return NewRedisWith(client, prefix, h, Settings{})
}

// NewRedisWith is NewRedis with settings.
func NewRedisWith(client redis.UniversalClient, prefix string, h *Hasher, s Settings) *Redis {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	return &Redis{client: client, names: names{prefix}, hasher: h, settings: s, script: loadScripts()}
}

// With returns the same users under other settings.
func (r *Redis) With(s Settings) *Redis {
	return NewRedisWith(r.client, r.names.prefix, r.hasher, s)
}

// Authenticate returns the active user with this name (or e-mail address) and
// password. Whatever is wrong with them, it makes the same calls and computes as
// much before it answers ErrCredentials. ErrMustChange answers the right password
// of a user who has to change it first.
func (r *Redis) Authenticate(ctx context.Context, login, password string) (User, error) {
	rec, rehash, err := r.prove(ctx, r.byLogin(login), password)
	switch {
	case err != nil:
		return User{}, err
	case rec.user.MustChange:
		return User{}, ErrMustChange
	}
	if rehash {
		r.renew(ctx, rec, password)
	}
	if r.settings.RecordLogins {
		if err := r.write(ctx, rec, fieldLastLogin, ""); err != nil {
			r.settings.Log.Warn("a log-in was not recorded", "sub", rec.user.ID, "error", err)
		}
	}
	return rec.user, nil
}

// Knows reports whether somebody has this login, active or not. It asks Redis the same
// whether or not: the time that it takes tells nobody. Without an answer it is false.
func (r *Redis) Knows(ctx context.Context, login string) bool {
	_, err := r.byLogin(login)(ctx)
	return err == nil
}

// byLogin returns how the record of whoever logs in is found.
func (r *Redis) byLogin(login string) func(context.Context) (record, error) {
	return func(ctx context.Context) (record, error) {
		if r.settings.LoginByEmail {
			return r.byEmail(ctx, login)
		}
		return r.byName(ctx, login)
	}
}

// prove returns the record of the active user whose password this is. It reads the
// record after it was called and never before: whoever takes a birth first can rely
// on that.
func (r *Redis) prove(ctx context.Context, find func(context.Context) (record, error), password string) (rec record, rehash bool, err error) {
	others, err := r.costs(ctx)
	if err != nil {
		return record{}, false, err
	}
	rec, err = find(ctx)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return record{}, false, err
	}
	hash := rec.password
	if len(password) > maxPasswordBytes { // nobody has it; do not hash megabytes
		hash, password = unusable, ""
	}
	ok, rehash, err := r.hasher.Verify(ctx, hash, password)
	switch {
	case err != nil:
		return record{}, false, err
	case ok && rec.user.IsActive:
		return rec, rehash, nil
	}
	if err := r.hasher.level(ctx, others, hash, password); err != nil {
		return record{}, false, err
	}
	return record{}, false, ErrCredentials
}

// renew replaces a hash of another kind or cost after its password proved right.
// It does so only while that hash still stands, and its failure is no reason to
// refuse the log-in: the next one tries again.
func (r *Redis) renew(ctx context.Context, rec record, password string) {
	hash, err := r.hasher.Hash(ctx, password)
	if err == nil {
		err = r.write(ctx, rec, "", rec.password, fieldPassword, hash)
	}
	if err != nil {
		r.settings.Log.Warn("a password's hash was not renewed", "sub", rec.user.ID, "error", err)
	}
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

// byName returns the confirmed record that a name points to, or ErrNotFound.
func (r *Redis) byName(ctx context.Context, name string) (record, error) {
	return r.pointed(ctx, r.names.username(name))
}

func unavailable(doing string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, doing, err)
}
