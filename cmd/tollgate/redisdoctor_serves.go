package main

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/telemetry"
)

// serves is for whoever asks whether tollgate would do its work with this Redis as it is
// now: an error tells all that stands in the way. What a restart of Redis would lose
// does not.
func (d *doctor) serves(ctx context.Context) error {
	all := hindrances(d.findings)
	if len(all) == 0 { // else why it takes no writes is known better
		all = newRedisDoctor(d.config, d.clients, d.now).writes(ctx)
	}
	if len(all) == 0 {
		return nil
	}
	code := exitRefused
	var lines []string
	for _, f := range merged(all) {
		if f.Check == "redis.reach" {
			code = exitUnreachable
		}
		lines = append(lines, "Redis ("+f.Where+"): "+f.Found+": "+f.Meaning+". To do: "+f.Do)
	}
	return exitWith(code, "%s", strings.Join(lines, "\n"))
}

// hindrances are those findings about Redis that keep requests from being answered now.
func hindrances(all []finding) []finding {
	var out []finding
	for _, f := range all {
		if f.Level == levelError && f.Check != "redis.persistence" {
			out = append(out, f)
		}
	}
	return out
}

// writes asks whether the user of the settings may write. It is for those who have the
// server's own settings: the doctor has a user who may not. Nothing is written: a SET
// with XX is checked as every SET is, and there is no such key.
func (d *redisDoctor) writes(ctx context.Context) []finding {
	key := d.settings.Prefix.Value + "{rev}:writes:" + rand.Text()
	err := d.clients.Slow.SetArgs(ctx, key, "", redis.SetArgs{Mode: "XX"}).Err()
	if err == nil || errors.Is(err, redis.Nil) {
		return nil
	}
	f := finding{
		Level: levelError, Check: "redis.writes", Where: d.settings.name(), Found: "a write is refused: " + telemetry.Scrub(err.Error()),
		Meaning: "nobody can log in, nothing can be revoked, and no edge can register",
		Do:      "look at Redis: its log, its disk, min-replicas-to-write",
	}
	if forbidden(err) {
		f.Found = "this user may not write: " + telemetry.Scrub(err.Error())
		f.Do = "give the user the commands and keys of deploy/redis/users.acl"
	}
	return []finding{f}
}
