package users

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// fold is the form in which two e-mail addresses are compared: case never tells
// two people apart, whatever RFC 5321 section 2.4 says of the local part.
func fold(email string) string { return strings.ToLower(email) }

// owner ties a pointer (a name, an e-mail address) to a record.
type owner struct {
	claim, id string
	// stamp tells one taking of a pointer from the next by the same owner; empty for
	// one whose record held the value before the pointer led to it.
	stamp string
}

func (o owner) text() string {
	if o.stamp == "" {
		return o.claim + ":" + o.id
	}
	return o.claim + "." + o.stamp + ":" + o.id
}

// ownerOf reads what text wrote.
func ownerOf(pointer string) owner {
	var o owner
	o.claim, o.id, _ = strings.Cut(pointer, ":")
	o.claim, o.stamp, _ = strings.Cut(o.claim, ".")
	return o
}

// take lets a pointer lead to me, also when it led to a record that does not hold
// it any more: one whose creation never came to its end, or who has another e-mail
// address by now. It reports false when somebody holds it.
//
// Between the look at that record and the swap the record may come to hold the value.
// The swap then fails, because its owner takes the pointer again, with another stamp,
// after the record was written.
func (r *Redis) take(ctx context.Context, key string, me owner, holds func(claim, email string) bool) (bool, error) {
	seen := ""
	for range 4 { // somebody else may take over the same pointer in between
		held, err := r.script.name.Run(ctx, r.client, []string{key}, me.text(), seen).Text()
		if err != nil {
			return false, unavailable("claim", err)
		}
		if held == "" || held == me.text() {
			return true, nil
		}
		seen = held
		them := ownerOf(held)
		if them.claim == me.claim && them.id == me.id {
			continue
		}
		found, err := r.client.HMGet(ctx, r.names.user(them.id), fieldClaim, fieldEmail).Result()
		if err != nil {
			return false, unavailable("read owner", err)
		}
		theirs, _ := found[0].(string)
		email, _ := found[1].(string)
		if theirs == them.claim && holds(theirs, email) {
			return false, nil
		}
	}
	return false, nil
}

// takeEmail claims an e-mail address. That somebody else has it is a fault only
// where users log in by it.
func (r *Redis) takeEmail(ctx context.Context, me owner, email string) error {
	if email == "" {
		return nil
	}
	ok, err := r.take(ctx, r.names.email(email), me, func(_, theirs string) bool { return fold(theirs) == fold(email) })
	if err == nil && !ok && r.settings.LoginByEmail {
		return fmt.Errorf("%w: email", ErrExists)
	}
	return err
}

// dropEmail gives an e-mail address back, if it is still mine.
func (r *Redis) dropEmail(ctx context.Context, me owner, email string) error {
	if email == "" {
		return nil
	}
	if err := r.script.unname.Run(ctx, r.client, []string{r.names.email(email)}, me.claim, me.id).Err(); err != nil {
		return unavailable("remove email", err)
	}
	return nil
}

// byEmail returns the confirmed record that an e-mail address points to, or
// ErrNotFound. It asks what byName asks.
func (r *Redis) byEmail(ctx context.Context, email string) (record, error) {
	rec, err := r.pointed(ctx, r.names.email(email))
	if err == nil && fold(rec.user.Email) != fold(email) { // another address since
		return record{}, ErrNotFound
	}
	return rec, err
}

// Reindex enters every e-mail address that is not in the index, such as those that
// somebody else had, too, while users logged in by name, and returns the ids of the
// users who share theirs with somebody: they cannot log in by it. It reads all users,
// a thousand at a time.
func (r *Redis) Reindex(ctx context.Context) (shared []string, err error) {
	for cursor := ""; ; {
		page, next, err := r.page(ctx, maxPage, cursor)
		if err != nil {
			return shared, err
		}
		for _, rec := range page {
			if rec.user.Email == "" {
				continue
			}
			ok, err := r.take(ctx, r.names.email(rec.user.Email), rec.owner(), func(_, theirs string) bool {
				return fold(theirs) == fold(rec.user.Email)
			})
			if err != nil {
				return shared, err
			}
			if !ok {
				shared = append(shared, rec.user.ID)
			}
		}
		if cursor = next; cursor == "" {
			return shared, nil
		}
	}
}

// pointed returns the confirmed record that a pointer leads to, or ErrNotFound. A
// pointer to nobody costs both reads too.
func (r *Redis) pointed(ctx context.Context, key string) (record, error) {
	value, err := r.client.Get(ctx, key).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return record{}, unavailable("read name", err)
	}
	to := ownerOf(value)
	rec, err := r.byID(ctx, to.id)
	if err == nil && rec.claim != to.claim { // the id was given to somebody else since
		return record{}, ErrNotFound
	}
	return rec, err
}
