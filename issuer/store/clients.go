package store

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/keys"
)

// Each script touches keys of one slot, so each works on a Redis Cluster.
var (
	//go:embed scripts/add.lua
	addLua string
	//go:embed scripts/change.lua
	changeLua string
	//go:embed scripts/rotate.lua
	rotateLua string
)

// Clients keeps OAuth clients in Redis: standalone, Sentinel or Cluster. It is safe
// for concurrent use.
type Clients struct {
	client              redis.UniversalClient
	names               names
	add, change, rotate *redis.Script
}

// NewClients returns the clients under prefix ("tg:"). It does not connect.
func NewClients(client redis.UniversalClient, prefix string) *Clients {
	return &Clients{
		client: client, names: names{prefix},
		add: redis.NewScript(addLua), change: redis.NewScript(changeLua), rotate: redis.NewScript(rotateLua),
	}
}

// Get returns a client, disabled or not, or ErrNotFound.
func (s *Clients) Get(ctx context.Context, id string) (*Client, error) {
	found, err := s.read(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	if found[0] == nil {
		return nil, ErrNotFound
	}
	return found[0], nil
}

// Add creates a client and returns it with its secret, which nobody can show again;
// no secret when it has a JWKS. Without an ID it gets one. ErrInvalid, ErrExists;
// after ErrUnavailable it may exist.
func (s *Clients) Add(ctx context.Context, c Client) (added *Client, secret string, err error) {
	if c.ID == "" {
		c.ID = newID()
	}
	if err := c.validate(); err != nil {
		return nil, "", err
	}
	fields := append(c.fields(), fieldID, c.ID)
	if c.JWKS != nil {
		fields = append(fields, fieldJWKS, string(c.JWKS))
	} else {
		var hash string
		secret, hash = newSecret()
		fields = append(fields, fieldSecret, hash)
	}
	// Listed first: what is listed and not there is passed over, what is there and
	// not listed would be found by nobody.
	if err := s.client.ZAdd(ctx, s.names.clients(), redis.Z{Member: c.ID}).Err(); err != nil {
		return nil, "", unavailable("list client", err)
	}
	made, err := s.add.Run(ctx, s.client, []string{s.names.client(c.ID)}, fields...).Int()
	switch {
	case err != nil:
		return nil, "", unavailable("add client", err)
	case made == 0:
		return nil, "", fmt.Errorf("%w: client %q", ErrExists, c.ID)
	}
	added, err = s.Get(ctx, c.ID)
	return added, secret, err
}

// Change is what is to be different about a client; nil leaves it.
type Change struct {
	Name                      *string
	Grants, Scopes, Audiences *[]string
	AccessTTL                 *time.Duration
	Algorithm                 *keys.Algorithm
	Disabled, NoIntrospection *bool
	// JWKS replaces the keys, and a secret if that is what it had: that ends at once.
	JWKS json.RawMessage
}

// Change changes a client and returns it. ErrInvalid, ErrNotFound.
func (s *Clients) Change(ctx context.Context, id string, ch Change) (*Client, error) {
	c, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	fields := ch.onto(c)
	args := []any{0}
	if ch.JWKS != nil {
		c.JWKS = ch.JWKS
		args = []any{2, fieldSecret, fieldOldUntil}
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	if ch.JWKS != nil {
		fields = append(fields, fieldJWKS, string(c.JWKS))
	}
	done, err := s.change.Run(ctx, s.client, []string{s.names.client(id)}, append(args, fields...)...).Int()
	switch {
	case err != nil:
		return nil, unavailable("change client", err)
	case done == 0:
		return nil, ErrNotFound
	}
	if ch.JWKS != nil {
		if err := s.client.Del(ctx, s.names.oldSecret(id)).Err(); err != nil {
			return nil, unavailable("forget old secret", err)
		}
	}
	return s.Get(ctx, id)
}

// onto brings a change but for the keys onto a client, and returns the fields of its
// record that are different, in pairs.
func (ch Change) onto(c *Client) (fields []any) {
	if ch.Name != nil {
		c.Name = *ch.Name
		fields = append(fields, fieldName, c.Name)
	}
	for _, list := range []struct {
		field    string
		from, to *[]string
	}{{fieldGrants, ch.Grants, &c.Grants}, {fieldScopes, ch.Scopes, &c.Scopes}, {fieldAudiences, ch.Audiences, &c.Audiences}} {
		if list.from != nil {
			*list.to = *list.from
			fields = append(fields, list.field, joined(*list.from))
		}
	}
	if ch.AccessTTL != nil {
		c.AccessTTL = *ch.AccessTTL
		fields = append(fields, fieldAccessTTL, seconds(c.AccessTTL))
	}
	if ch.Algorithm != nil {
		c.Algorithm = *ch.Algorithm
		fields = append(fields, fieldAlgorithm, string(c.Algorithm))
	}
	if ch.Disabled != nil {
		c.Disabled = *ch.Disabled
		fields = append(fields, fieldDisabled, flag(c.Disabled))
	}
	if ch.NoIntrospection != nil {
		c.NoIntrospection = *ch.NoIntrospection
		fields = append(fields, fieldNoIntro, flag(c.NoIntrospection))
	}
	return fields
}

// Rotate gives a client a new secret and returns it; the one before is taken for
// overlap longer (whole milliseconds; 0: not at all), the one before that no more.
// Keys that the client may have had instead are taken no more either. ErrNotFound.
func (s *Clients) Rotate(ctx context.Context, id string, overlap time.Duration) (*Client, string, error) {
	if overlap < 0 || overlap > maxLifetime {
		return nil, "", invalid("overlap is not between 0 and a year")
	}
	secret, hash := newSecret()
	done, err := s.rotate.Run(ctx, s.client, []string{s.names.client(id), s.names.oldSecret(id)}, hash, overlap.Milliseconds()).Int()
	switch {
	case err != nil:
		return nil, "", unavailable("rotate secret", err)
	case done == 0:
		return nil, "", ErrNotFound
	}
	c, err := s.Get(ctx, id)
	return c, secret, err
}

// Remove deletes a client. ErrNotFound. Its tokens are not ended by it.
func (s *Clients) Remove(ctx context.Context, id string) error {
	gone, err := s.client.Del(ctx, s.names.client(id), s.names.oldSecret(id)).Result()
	if err != nil {
		return unavailable("remove client", err)
	}
	if err := s.client.ZRem(ctx, s.names.clients(), id).Err(); err != nil {
		return unavailable("unlist client", err)
	}
	if gone == 0 {
		return ErrNotFound
	}
	return nil
}
