package main

import (
	"fmt"
	"strconv"
	"time"

	"tollgate/internal/telemetry"
)

// maxMemoryShare is how much of its maxmemory a Redis may use before it is told, in
// percent: a burst of log-ins must still fit.
const maxMemoryShare = 80

// judge says what there is to say of one server.
func (d *redisDoctor) judge(s *redisServer) []finding {
	out := d.access(s)
	if s.ahead.Abs() > max(d.leeway, time.Second) {
		out = append(out, d.clock(s))
	}
	if s.info != nil {
		out = append(out, d.place(s)...)
		out = append(out, d.memory(s)...)
		out = append(out, d.persistence(s)...)
		out = append(out, d.replication(s)...)
	}
	for i := range out {
		out[i].Where = s.where
	}
	return out
}

// access says what could not be looked at.
func (d *redisDoctor) access(s *redisServer) []finding {
	var out []finding
	if s.err != nil {
		out = append(out, finding{
			Level: levelError, Check: "redis.reach", Found: "the server could not be asked: " + telemetry.Scrub(s.err.Error()),
			Meaning: "what it is set to is not known, and what it keeps may be unreachable for requests, too",
			Do:      "look at the server itself, and at the network in between",
		})
	}
	for _, command := range s.forbidden {
		f := finding{Level: levelInfo, Check: "redis.forbidden", Found: command + " is forbidden to this user"}
		switch command {
		case "INFO":
			f.Level = levelError
			f.Meaning = "/readyz asks it and fails, so no balancer sends requests. Not looked at: version, role, eviction, memory, persistence, replicas"
			f.Do = "allow it: ACL SETUSER … +info"
		case "CONFIG GET":
			f.Meaning = "not looked at: snapshots (save), how often the append-only file is synced (appendfsync), min-replicas-to-write"
			f.Do = "allow it for a look (ACL SETUSER … +config|get), or check the three by hand"
		default:
			f.Meaning = "not looked at: whether the clocks agree. The scripts of tollgate need this command as well"
			f.Do = "allow it: ACL SETUSER … +time"
		}
		out = append(out, f)
	}
	return out
}

func (d *redisDoctor) clock(s *redisServer) finding {
	side := "ahead of"
	if s.ahead < 0 {
		side = "behind"
	}
	return finding{
		Level: levelError, Check: "redis.clock",
		Found: fmt.Sprintf("Redis's clock is %s %s this machine's; TOLLGATE_LEEWAY forgives %s", s.ahead.Abs().Round(time.Millisecond), side, d.leeway),
		Meaning: "births of sessions and cut-offs are Redis's times, lives of tokens this machine's: " +
			"tokens are refused as expired or not yet valid, and entries of what is revoked may leave before the tokens that they end",
		Do: "synchronise both clocks (NTP, chrony)",
	}
}

// place looks at what the server is.
func (d *redisDoctor) place(s *redisServer) []finding {
	var out []finding
	if s.olderThan(6, 2) {
		out = append(out, finding{
			Level: levelError, Check: "redis.version", Found: "Redis " + s.info["redis_version"] + " is older than 6.2",
			Meaning: "commands that tollgate uses are missing or mean something else there",
			Do:      "upgrade Redis to 6.2 or newer",
		})
	}
	if s.info["role"] == "slave" {
		out = append(out, finding{
			Level: levelError, Check: "redis.role", Found: "this server is a replica (of " + s.info["master_host"] + ":" + s.info["master_port"] + ")",
			Meaning: "it takes no writes: nobody can log in, nothing can be revoked, and /readyz fails",
			Do:      "name the primary in TOLLGATE_REDIS_URL, or redis+sentinel:// or redis+cluster://, which find it",
		})
	}
	if s.info["cluster_enabled"] == "1" && d.settings.URL.target.mode == redisSingle {
		out = append(out, finding{
			Level: levelError, Check: "redis.mode", Found: "this server is a node of a Redis Cluster, but TOLLGATE_REDIS_URL names one server",
			Meaning: "commands for keys of other nodes fail (MOVED)",
			Do:      "use redis+cluster://h1:6379,h2:6379",
		})
	}
	return out
}

// memory looks at what happens when there is no more of it.
func (d *redisDoctor) memory(s *redisServer) []finding {
	var out []finding
	if policy := s.info["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		f := finding{
			Level: levelError, Check: "redis.eviction", Found: "maxmemory-policy is " + policy,
			Meaning: "when memory is short Redis drops revocations, sessions or keys and says OK; /readyz fails because of it",
			Do:      "CONFIG SET maxmemory-policy noeviction, and in redis.conf; give a cache a Redis of its own",
		}
		if d.settings.AllowEviction.Value {
			f.Level = levelWarning
			f.Meaning = "when memory is short Redis drops revocations, sessions or keys and says OK; TOLLGATE_REDIS_ALLOW_EVICTION accepts it"
		}
		out = append(out, f)
	}
	if n, ok := s.number("evicted_keys"); ok && n > 0 {
		out = append(out, finding{
			Level: levelWarning, Check: "redis.evicted", Found: plural(int(n), "key") + " evicted since the server started",
			Meaning: "memory was short, and some of them may have been revocations or sessions",
			Do:      "raise maxmemory, or move what else is kept there",
		})
	}
	return append(out, s.full()...)
}

// full judges how much of its memory Redis uses.
func (s *redisServer) full() []finding {
	used, _ := s.number("used_memory")
	limit, ok := s.number("maxmemory")
	if !ok || limit <= 0 || used < limit/100*maxMemoryShare {
		return nil
	}
	f := finding{
		Level: levelWarning, Check: "redis.memory",
		Found:   fmt.Sprintf("%d %% of maxmemory are used (%d of %d MiB)", used*100/limit, used>>20, limit>>20),
		Meaning: "with noeviction writes are refused when all is used: no log-ins and, worse, no revocations",
		Do:      "raise maxmemory",
	}
	// Buffers for replicas do not count, as Redis sees it (INFO memory).
	buffers, _ := s.number("mem_not_counted_for_evict")
	if s.info["maxmemory_policy"] == "noeviction" && used-buffers > limit {
		f.Level = levelError
		f.Meaning = "Redis refuses every write (OOM): nobody can log in and nothing can be revoked"
		f.Do = "raise maxmemory now: CONFIG SET maxmemory, and in redis.conf"
	}
	return []finding{f}
}

// persistence looks at what a restart of the server would lose.
func (d *redisDoctor) persistence(s *redisServer) []finding {
	var out []finding
	aof, snapshots := s.info["aof_enabled"] == "1", s.config["save"] != ""
	switch {
	case aof:
		out = append(out, d.appendOnly(s)...)
	case snapshots:
		out = append(out, finding{
			Level: levelWarning, Check: "redis.persistence", Found: "there are snapshots (save " + s.config["save"] + ") but no append-only file",
			Meaning: "a restart loses everything since the last snapshot: minutes of revocations, log-ins and refreshes",
			Do:      "CONFIG SET appendonly yes, and in redis.conf",
		})
	case s.config != nil:
		out = append(out, d.nothingKept())
	default: // CONFIG is forbidden, which is said elsewhere
		out = append(out, finding{
			Level: levelWarning, Check: "redis.persistence", Found: "there is no append-only file, and whether there are snapshots could not be seen",
			Meaning: "a restart loses minutes, or everything",
			Do:      "set appendonly yes",
		})
	}
	if snapshots && s.info["rdb_last_bgsave_status"] == "err" {
		out = append(out, finding{
			Level: levelError, Check: "redis.disk", Found: "the last snapshot failed",
			Meaning: "Redis refuses writes meanwhile (stop-writes-on-bgsave-error): nothing can be revoked",
			Do:      "look at Redis's log and its disk",
		})
	}
	return out
}

// nothingKept is a server without persistence: how bad it is depends on what is there.
func (d *redisDoctor) nothingKept() finding {
	f := finding{
		Level: levelWarning, Check: "redis.persistence", Found: "nothing is kept on disk: neither an append-only file nor snapshots",
		Meaning: "a restart loses every revocation; processes that run put back what they know",
		Do:      "CONFIG SET appendonly yes, and in redis.conf",
	}
	if d.records {
		f.Level = levelError
		f.Meaning = "a restart loses all users, all sessions and the keys that are kept there, which nobody can put back, and every revocation that no process knows"
	}
	return f
}

func (d *redisDoctor) appendOnly(s *redisServer) []finding {
	var out []finding
	switch s.config["appendfsync"] {
	case "everysec":
		f := finding{
			Level: levelInfo, Check: "redis.fsync", Found: "the append-only file is synced once a second (appendfsync everysec)",
			Meaning: "a crash of its machine loses up to two seconds of what was acknowledged; processes that run put revocations back",
			Do:      "if that is too much: appendfsync always, TOLLGATE_REVOCATION_JOURNAL or TOLLGATE_REDIS_MIN_REPLICAS_ACK",
		}
		if d.journal || d.settings.MinReplicas.Value > 0 {
			f.Meaning = "a crash of its machine loses up to two seconds of log-ins and refreshes; of revocations there is a second copy"
			f.Do = ""
		}
		out = append(out, f)
	case "no":
		out = append(out, finding{
			Level: levelWarning, Check: "redis.fsync", Found: "the append-only file is synced when the system likes (appendfsync no)",
			Meaning: "a crash of its machine loses half a minute of what was acknowledged, revocations too",
			Do:      "CONFIG SET appendfsync everysec, or always",
		})
	}
	if s.info["aof_last_write_status"] == "err" {
		out = append(out, finding{
			Level: levelError, Check: "redis.disk", Found: "the last write of the append-only file failed",
			Meaning: "Redis refuses writes meanwhile: nothing can be revoked",
			Do:      "look at Redis's log and its disk",
		})
	}
	return out
}

// replication looks at who would take over.
func (d *redisDoctor) replication(s *redisServer) []finding {
	connected, online := s.replicas()
	atLeast, known := 0, s.config != nil
	if text := s.config["min-replicas-to-write"]; text != "" {
		atLeast, _ = strconv.Atoi(text) // Redis writes a number there
	}
	var out []finding
	if want := d.settings.MinReplicas.Value; want > online {
		out = append(out, finding{
			Level: levelError, Check: "redis.replicas",
			Found:   fmt.Sprintf("TOLLGATE_REDIS_MIN_REPLICAS_ACK is %d, but %s in step", want, are(online, "replica")),
			Meaning: "every revocation is answered with 503, and what is read is not vouched for: requests are refused with 503, too",
			Do:      "bring the replicas back, or lower TOLLGATE_REDIS_MIN_REPLICAS_ACK",
		})
	}
	if atLeast > online {
		out = append(out, finding{
			Level: levelError, Check: "redis.replicas",
			Found:   fmt.Sprintf("min-replicas-to-write is %d, but %s in step", atLeast, are(online, "replica")),
			Meaning: "Redis refuses every write (NOREPLICAS): nobody can log in and nothing can be revoked",
			Do:      "bring the replicas back, or lower min-replicas-to-write",
		})
	}
	if connected > 0 && known && atLeast == 0 {
		out = append(out, finding{
			Level: levelWarning, Check: "redis.split", Found: plural(connected, "replica") + " and min-replicas-to-write is 0",
			Meaning: "a primary that is cut off goes on taking writes, revocations and log-ins, which are lost when it comes back as a replica",
			Do:      "CONFIG SET min-replicas-to-write 1, and in redis.conf, on all servers",
		})
	}
	if mode := d.settings.URL.target.mode; connected == 0 && s.info["role"] == "master" && (mode == redisSentinel || mode == redisCluster) {
		out = append(out, finding{
			Level: levelWarning, Check: "redis.replicas", Found: "this primary has no replica",
			Meaning: "nobody can take over when it dies: what it keeps is unreachable until it is back",
			Do:      "add a replica, or bring it back",
		})
	}
	if connected > online {
		out = append(out, finding{
			Level: levelWarning, Check: "redis.replicas", Found: fmt.Sprintf("%d of %s not in step", connected-online, plural(connected, "replica")),
			Meaning: "it copies still, or cannot keep up; until then it is no second copy",
			Do:      "if it stays so, look at its log (client-output-buffer-limit, repl-backlog-size)",
		})
	}
	return out
}

// are writes a number with its noun and verb.
func are(n int, noun string) string {
	if n == 0 {
		return "no " + noun + " is"
	}
	return plural(n, noun) + map[bool]string{true: " is", false: " are"}[n == 1]
}
