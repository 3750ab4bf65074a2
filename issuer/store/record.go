package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"tollgate/keys"
)

// fields are those that every client has, in pairs.
func (c *Client) fields() []any {
	return []any{
		fieldName, c.Name, fieldGrants, joined(c.Grants), fieldScopes, joined(c.Scopes), fieldAudiences, joined(c.Audiences),
		fieldAccessTTL, seconds(c.AccessTTL), fieldAlgorithm, string(c.Algorithm), fieldDisabled, flag(c.Disabled),
		fieldNoIntro, flag(c.NoIntrospection),
	}
}

// read returns clients by their ids; nil where there is none.
func (s *Clients) read(ctx context.Context, ids []string) ([]*Client, error) {
	pipe := s.client.Pipeline()
	records, old := make([]*redis.MapStringStringCmd, len(ids)), make([]*redis.StringCmd, len(ids))
	for i, id := range ids {
		records[i] = pipe.HGetAll(ctx, s.names.client(id))
		old[i] = pipe.Get(ctx, s.names.oldSecret(id))
	}
	_, _ = pipe.Exec(ctx) // each command has its own error: most old secrets are redis.Nil
	out := make([]*Client, len(ids))
	for i := range ids {
		if err := records[i].Err(); err != nil {
			return nil, unavailable("read client", err)
		}
		if err := old[i].Err(); err != nil && !isNil(err) {
			return nil, unavailable("read client", err)
		}
		fields := records[i].Val()
		if len(fields) == 0 {
			continue
		}
		c, err := parseClient(fields)
		if err != nil {
			return nil, err
		}
		c.old = old[i].Val()
		if c.old == "" {
			c.OldUntil = time.Time{}
		}
		out[i] = c
	}
	return out, nil
}

func parseClient(f map[string]string) (*Client, error) {
	c := &Client{
		ID: f[fieldID], Name: f[fieldName], Grants: strings.Fields(f[fieldGrants]), Scopes: strings.Fields(f[fieldScopes]),
		Audiences: strings.Fields(f[fieldAudiences]), Algorithm: keys.Algorithm(f[fieldAlgorithm]), Disabled: f[fieldDisabled] == "1",
		NoIntrospection: f[fieldNoIntro] == "1", secret: f[fieldSecret],
	}
	if doc := f[fieldJWKS]; doc != "" {
		c.JWKS = json.RawMessage(doc)
	}
	n := map[string]int64{}
	for _, name := range []string{fieldAccessTTL, fieldCreated, fieldRotated, fieldOldUntil} {
		if f[name] == "" {
			continue
		}
		var err error
		if n[name], err = strconv.ParseInt(f[name], 10, 64); err != nil {
			return nil, fmt.Errorf("store: record of client %q: %s: %w", c.ID, name, err)
		}
	}
	c.AccessTTL = time.Duration(n[fieldAccessTTL]) * time.Second
	c.Created, c.Rotated, c.OldUntil = moment(n[fieldCreated]), moment(n[fieldRotated]), moment(n[fieldOldUntil])
	return c, nil
}

const (
	defaultPage = 100
	maxPage     = 1000
)

// List returns clients in the order of their ids, at most limit (0: 100; never more
// than 1000), after the cursor of the page before ("" for the first). An empty next
// cursor means that there are no more. ErrInvalid for a cursor that is none.
func (s *Clients) List(ctx context.Context, limit int, cursor string) (page []*Client, next string, err error) {
	if limit <= 0 {
		limit = defaultPage
	}
	limit = min(limit, maxPage)
	from := "-"
	if cursor != "" {
		last, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil || !idForm.Match(last) {
			return nil, "", invalid("cursor")
		}
		from = "(" + string(last)
	}
	ids, err := s.client.ZRangeArgs(ctx, redis.ZRangeArgs{Key: s.names.clients(), ByLex: true, Start: from, Stop: "+", Count: int64(limit)}).Result()
	if err != nil {
		return nil, "", unavailable("list clients", err)
	}
	if len(ids) == 0 {
		return nil, "", nil
	}
	if len(ids) == limit {
		next = base64.RawURLEncoding.EncodeToString([]byte(ids[limit-1]))
	}
	found, err := s.read(ctx, ids)
	if err != nil {
		return nil, "", err
	}
	for _, c := range found {
		if c != nil {
			page = append(page, c)
		}
	}
	return page, next, nil
}

// Once reports whether this is the first time within life that an id of an owner
// comes, by Redis's clock. Life is rounded up to a millisecond.
func (s *Clients) Once(ctx context.Context, owner, id string, life time.Duration) (bool, error) {
	first, err := s.client.SetNX(ctx, s.names.once(owner, id), "1", max(life+time.Millisecond-1, time.Millisecond)).Result()
	if err != nil {
		return false, unavailable("remember id", err)
	}
	return first, nil
}

func isNil(err error) bool { return errors.Is(err, redis.Nil) }

func joined(list []string) string { return strings.Join(list, " ") }

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
