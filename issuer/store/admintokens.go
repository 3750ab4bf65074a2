package store

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed scripts/admin_add.lua
	adminAddLua string
	//go:embed scripts/admin_look.lua
	adminLookLua string
	//go:embed scripts/admin_used.lua
	adminUsedLua string
	//go:embed scripts/admin_revoke.lua
	adminRevokeLua string
)

// Refusals of an admin token whose record is known.
var (
	// ErrRevoked says that the admin token was revoked.
	ErrRevoked = errors.New("store: admin token is revoked")
	// ErrExpired says that the admin token has expired.
	ErrExpired = errors.New("store: admin token has expired")
)

const maxAdminTokens = 1000

var infinity = math.Inf(1)

// AdminTokens keeps the tokens of the admin API in Redis. It is safe for concurrent
// use.
type AdminTokens struct {
	client                  redis.UniversalClient
	names                   adminNames
	add, look, used, revoke *redis.Script
}

// NewAdminTokens returns the admin tokens under prefix ("tg:"). It does not connect.
func NewAdminTokens(client redis.UniversalClient, prefix string) *AdminTokens {
	return &AdminTokens{
		client: client, names: adminNames{prefix}, add: redis.NewScript(adminAddLua), look: redis.NewScript(adminLookLua),
		used: redis.NewScript(adminUsedLua), revoke: redis.NewScript(adminRevokeLua),
	}
}

// Create makes a token with the name, role, creator and expiry of t, and returns it
// beside its record: nobody can show it again. ErrInvalid; after ErrUnavailable it may
// exist, but nobody has it.
func (s *AdminTokens) Create(ctx context.Context, t AdminToken) (*AdminToken, string, error) {
	if err := t.validate(); err != nil {
		return nil, "", err
	}
	held, err := s.client.ZCard(ctx, s.names.tokens()).Result()
	switch {
	case err != nil:
		return nil, "", unavailable("count admin tokens", err)
	case held >= maxAdminTokens:
		return nil, "", invalid("there are %d admin tokens: revoke some first", held)
	}
	id, raw := newAdminToken()
	var expires int64
	if !t.Expires.IsZero() {
		expires = t.Expires.UnixMilli()
	}
	// Listed first: what is there and not listed would be found by nobody.
	if err := s.client.ZAdd(ctx, s.names.tokens(), redis.Z{Score: t.goes(), Member: id}).Err(); err != nil {
		return nil, "", unavailable("list admin token", err)
	}
	made, err := s.add.Run(ctx, s.client, []string{s.names.token(id)}, expires, keptAfter.Milliseconds(),
		fieldName, t.Name, fieldRole, t.Role, fieldBy, t.CreatedBy, fieldHash, hashSecret(raw)).Int()
	switch {
	case err != nil:
		return nil, "", unavailable("add admin token", err)
	case made < 0:
		return nil, "", invalid("expires_at has passed")
	case made == 0:
		return nil, "", fmt.Errorf("%w: admin token %s", ErrExists, id)
	}
	added, _, err := s.read(ctx, id)
	return added, raw, err
}

// Use returns the record of a token that may be used now, and dates its use.
// ErrNotFound: it is none of ours; ErrRevoked and ErrExpired come with the record.
// ErrUnavailable: nobody can say.
func (s *AdminTokens) Use(ctx context.Context, raw string) (*AdminToken, error) {
	id, ok := AdminTokenID(raw)
	if !ok {
		return nil, ErrNotFound
	}
	t, now, err := s.read(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !t.is(raw):
		return nil, ErrNotFound
	case !t.Revoked.IsZero():
		return t, ErrRevoked
	case !t.Expires.IsZero() && !now.Before(t.Expires):
		return t, ErrExpired
	}
	if now.Sub(t.Used) >= usedEvery {
		// The date is a help for people: a token is no worse for its lack.
		_ = s.used.Run(ctx, s.client, []string{s.names.token(id)}).Err()
	}
	return t, nil
}

// read returns a record and the time of the clock that its times are of.
func (s *AdminTokens) read(ctx context.Context, id string) (*AdminToken, time.Time, error) {
	reply, err := s.look.Run(ctx, s.client, []string{s.names.token(id)}).StringSlice()
	if err != nil || len(reply) == 0 {
		return nil, time.Time{}, unavailable("read admin token", err)
	}
	now, err := strconv.ParseInt(reply[0], 10, 64)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("store: time of the admin tokens: %w", err)
	}
	if len(reply) == 1 {
		return nil, moment(now), ErrNotFound
	}
	fields := map[string]string{}
	for pair := range slices.Chunk(reply[1:], 2) {
		fields[pair[0]] = pair[1]
	}
	t, err := parseAdminToken(id, fields)
	return t, moment(now), err
}

// List returns every token, the newest first, those included that have expired or were
// revoked within 30 days.
func (s *AdminTokens) List(ctx context.Context) ([]*AdminToken, error) {
	// What is gone for long by any clock. A token that is being made goes later.
	before := strconv.FormatInt(time.Now().Add(-24*time.Hour).UnixMilli(), 10)
	if err := s.client.ZRemRangeByScore(ctx, s.names.tokens(), "-inf", before).Err(); err != nil {
		return nil, unavailable("unlist admin tokens", err)
	}
	ids, err := s.client.ZRange(ctx, s.names.tokens(), 0, -1).Result()
	if err != nil || len(ids) == 0 {
		return nil, orUnavailable("list admin tokens", err)
	}
	pipe := s.client.Pipeline()
	records := make([]*redis.MapStringStringCmd, len(ids))
	for i, id := range ids {
		records[i] = pipe.HGetAll(ctx, s.names.token(id))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, unavailable("read admin tokens", err)
	}
	var out []*AdminToken
	for i, id := range ids {
		if len(records[i].Val()) == 0 {
			continue
		}
		t, err := parseAdminToken(id, records[i].Val())
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *AdminToken) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// Revoke ends a token at once and returns it; one that was revoked before stays as it
// is. ErrNotFound.
func (s *AdminTokens) Revoke(ctx context.Context, id, by string) (*AdminToken, error) {
	done, err := s.revoke.Run(ctx, s.client, []string{s.names.token(id)}, by, keptAfter.Milliseconds()).Int()
	switch {
	case err != nil:
		return nil, unavailable("revoke admin token", err)
	case done == 0:
		return nil, ErrNotFound
	}
	t, now, err := s.read(ctx, id)
	if err != nil {
		return nil, err
	}
	err = s.client.ZAddXX(ctx, s.names.tokens(), redis.Z{Score: float64(now.Add(keptAfter).UnixMilli()), Member: id}).Err()
	return t, orUnavailable("unlist admin token", err)
}

func orUnavailable(doing string, err error) error {
	if err == nil {
		return nil
	}
	return unavailable(doing, err)
}
