package main

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tollgate/internal/problem"
	"tollgate/keys"
	"tollgate/keys/token"
)

// show implements setting for all that is no secret.
func (v *value[T]) show() string {
	switch x := any(v.Value).(type) {
	case []string:
		return strings.Join(x, ",")
	case []keys.Algorithm:
		return joined(x, func(a keys.Algorithm) string { return string(a) })
	case []netip.Prefix:
		return joined(x, netip.Prefix.String)
	case []Claim:
		return joined(x, func(c Claim) string { return c.Name + "=" + c.Attribute })
	case []problem.Profile:
		return joined(x, func(p problem.Profile) string { return string(p) })
	case *token.ClaimRule:
		if x == nil {
			return ""
		}
		return x.Name + "=" + strings.Join(x.OneOf, ",")
	case time.Duration:
		return short(x)
	case *url.URL:
		if x == nil {
			return ""
		}
		return x.String() // it has neither password nor query
	}
	return fmt.Sprint(v.Value)
}

// short is a length of time as people write it: 5m, not 5m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func joined[T any](list []T, text func(T) string) string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = text(x)
	}
	return strings.Join(out, ",")
}

// show writes the store as the variable does.
func (k *KeyStore) show() string {
	if k.Value == "" {
		return "redis"
	}
	return "file:" + k.Value
}

// show implements setting.
func (s *Secret) show() string { return s.String() }

// show names the servers; of who connects to them it says only that it is there.
func (r *RedisURL) show() string {
	t := r.target
	if t == nil {
		return r.String()
	}
	if t.mode == redisEmbedded {
		return "embedded:"
	}
	scheme := map[bool]string{false: "redis", true: "rediss"}[t.tls]
	who := ""
	if t.user != "" || t.password != "" {
		who = masked + "@"
	}
	switch db := strconv.Itoa(t.db); {
	case t.mode == redisSentinel:
		text := scheme + "+sentinel://" + who + strings.Join(t.addrs, ",") + "/" + url.PathEscape(t.master) + "/" + db
		if t.sentinelUser != "" || t.sentinel != "" {
			text += "?" + masked
		}
		return text
	case t.mode == redisCluster:
		return scheme + "+cluster://" + who + strings.Join(t.addrs, ",")
	case strings.HasPrefix(t.addrs[0], "/"):
		return "unix://" + who + t.addrs[0] + "?db=" + db
	default:
		return scheme + "://" + who + t.addrs[0] + "/" + db
	}
}
