package users

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// Kept holds in Redis what a back end (one, by one address) said of a user at the
// last log-in, for refreshes. Neither password nor hash is in it.
type Kept struct {
	client redis.UniversalClient
	names  names
	life   time.Duration
	noted  atomic.Bool // this process has noted that users are given by id
}

// NewKept returns what is kept under prefix ("tg:"), each user for life: the
// longest that a session can last after the log-in.
func NewKept(client redis.UniversalClient, prefix string, life time.Duration) *Kept {
	return &Kept{client: client, names: names{prefix}, life: life}
}

// keptUser is the JSON of a user in Redis.
type keptUser struct {
	ID          string         `json:"id"`
	Username    string         `json:"username"`
	Email       string         `json:"email"`
	Attributes  map[string]any `json:"attributes"`
	IsStaff     bool           `json:"is_staff"`
	IsSuperuser bool           `json:"is_superuser"`
	LastLogin   time.Time      `json:"last_login"`
}

func (k *Kept) put(ctx context.Context, u User) error {
	text, err := json.Marshal(keptUser{u.ID, u.Username, u.Email, u.Attributes, u.IsStaff, u.IsSuperuser, u.LastLogin})
	if err != nil {
		return unavailable("keep user", err)
	}
	if err := k.client.Set(ctx, k.names.kept(u.ID), text, k.life).Err(); err != nil {
		return unavailable("keep user", err)
	}
	return nil
}

// get returns the active user of the last log-in, or ErrNotFound.
func (k *Kept) get(ctx context.Context, id string) (User, error) {
	text, err := k.client.Get(ctx, k.names.kept(id)).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return User{}, ErrNotFound
	case err != nil:
		return User{}, unavailable("read kept user", err)
	}
	var kept keptUser
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&kept); err != nil {
		return User{}, unavailable("read kept user", err)
	}
	return User{
		ID: kept.ID, Username: kept.Username, Email: kept.Email, Attributes: kept.Attributes, IsActive: true,
		IsStaff: kept.IsStaff, IsSuperuser: kept.IsSuperuser, LastLogin: kept.LastLogin,
	}, nil
}

// knows notes that the back end at this address gives users by id. A nil Kept
// remembers nothing.
func (k *Kept) knows(ctx context.Context, address string) error {
	if k == nil || k.noted.Load() {
		return nil
	}
	if err := k.client.Set(ctx, k.names.byID(address), "1", 0).Err(); err != nil {
		return unavailable("note that users are given by id", err)
	}
	k.noted.Store(true)
	return nil
}

// known reports whether the back end at this address ever gave a user by id.
func (k *Kept) known(ctx context.Context, address string) (bool, error) {
	if k == nil {
		return true, nil // there is nothing to fall back on
	}
	n, err := k.client.Exists(ctx, k.names.byID(address)).Result()
	if err != nil {
		return false, unavailable("read whether users are given by id", err)
	}
	return n > 0, nil
}
