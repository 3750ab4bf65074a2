package users

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

const (
	defaultPage = 100
	maxPage     = 1000
)

// listed is a user's member in the list. The NUL sorts before every character that
// a name may have, so the list is in the order of names, byte by byte. The claim
// makes the member of a user who was removed and created again another one.
func listed(name, claim, id string) string { return name + "\x00" + claim + ":" + id }

// isListed reports whether a text has the form of such a member: from any other place on
// the list would begin somewhere, and look whole.
func isListed(text string) bool {
	name, value, _ := strings.Cut(text, "\x00")
	claim, id, _ := strings.Cut(value, ":")
	return name != "" && claim != "" && id != ""
}

// List returns users in the order of their names, at most limit (0: 100; never more
// than 1000), beginning after the cursor of the page before ("" for the first). An
// empty next cursor means that there are no more. A page may be shorter than limit
// without being the last. ErrInvalid answers a cursor that List did not give.
func (r *Redis) List(ctx context.Context, limit int, cursor string) (page []User, next string, err error) {
	if limit <= 0 {
		limit = defaultPage
	}
	records, next, err := r.page(ctx, min(limit, maxPage), cursor)
	if err != nil {
		return nil, "", err
	}
	page = make([]User, len(records))
	for i, rec := range records {
		page[i] = rec.user
	}
	return page, next, nil
}

// page returns the records of one page.
func (r *Redis) page(ctx context.Context, limit int, cursor string) (page []record, next string, err error) {
	from := "-"
	if cursor != "" {
		last, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil || !isListed(string(last)) {
			return nil, "", fmt.Errorf("%w: cursor", ErrInvalid)
		}
		from = "(" + string(last)
	}
	members, err := r.client.ZRangeByLex(ctx, r.names.list(), &redis.ZRangeBy{Min: from, Max: "+", Count: int64(limit)}).Result()
	if err != nil {
		return nil, "", unavailable("list users", err)
	}
	if len(members) == limit {
		next = base64.RawURLEncoding.EncodeToString([]byte(members[limit-1]))
	}
	page, err = r.read(ctx, members)
	return page, next, err
}

// read returns the records of these members, but for those whose creation or removal
// did not come to its end.
func (r *Redis) read(ctx context.Context, members []string) ([]record, error) {
	pipe := r.client.Pipeline()
	records := make([]*redis.MapStringStringCmd, len(members))
	for i, member := range members {
		_, value, _ := strings.Cut(member, "\x00")
		_, id, _ := strings.Cut(value, ":")
		records[i] = pipe.HGetAll(ctx, r.names.user(id))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, unavailable("read users", err)
	}
	page := make([]record, 0, len(members))
	for i, member := range members {
		rec, err := parseRecord(records[i].Val())
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return nil, err
		case !rec.pending && listed(rec.user.Username, rec.claim, rec.user.ID) == member:
			page = append(page, rec)
		}
	}
	return page, nil
}
