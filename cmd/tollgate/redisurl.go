package main

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// redisMode is how Redis is set up.
type redisMode uint8

const (
	redisSingle redisMode = iota
	redisSentinel
	redisCluster
	redisEmbedded // inside of this process
)

// redisTarget is what a TOLLGATE_REDIS_URL says.
type redisTarget struct {
	mode                   redisMode
	addrs                  []string // host:port, or the path of one socket
	master                 string   // Sentinel's name of it
	db                     int
	user, password         string
	sentinelUser, sentinel string // user and password of the Sentinels themselves
	tls                    bool
}

// parseRedisURL reads a URL of one of the forms
//
//	redis://[user:password@]host[:port][/db]            rediss://… with TLS
//	unix://[user:password@]/path/to/socket[?db=N]
//	redis+sentinel://[user:password@]h1[:26379],h2/MASTER[/db][?sentinel_username=…&sentinel_password=…]
//	redis+cluster://[user:password@]h1[:6379],h2
//	embedded:
//
// It is not url.Parse, which knows no list of hosts and whose errors show the
// text. Our errors never do.
func parseRedisURL(text string) (*redisTarget, error) {
	if text == "embedded:" {
		return &redisTarget{mode: redisEmbedded}, nil
	}
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return nil, errors.New("is not a URL such as redis://127.0.0.1:6379/0, nor the word embedded: (with its colon)")
	}
	rest, rawQuery, _ := strings.Cut(rest, "?")
	authority, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		authority, path = rest[:i], rest[i+1:]
	}
	t := &redisTarget{}
	hosts, err := t.credentials(authority)
	if err != nil {
		return nil, err
	}
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, errors.New("has a query that cannot be read")
	}
	switch scheme {
	case "unix":
		err = t.socket(hosts, path, query)
	case "redis", "rediss":
		err = t.single(hosts, path, query)
	case "redis+sentinel", "rediss+sentinel":
		err = t.sentinels(hosts, path, query)
	case "redis+cluster", "rediss+cluster":
		err = t.cluster(hosts, path, query)
	default:
		err = errors.New("has an unknown scheme: redis, rediss, unix, redis+sentinel, rediss+sentinel, redis+cluster or rediss+cluster")
	}
	if err != nil {
		return nil, err
	}
	t.tls = strings.HasPrefix(scheme, "rediss")
	return t, nil
}

// credentials takes the user and password off an authority and returns the hosts.
func (t *redisTarget) credentials(authority string) (hosts string, err error) {
	i := strings.LastIndexByte(authority, '@')
	if i < 0 {
		return authority, nil
	}
	user, password, _ := strings.Cut(authority[:i], ":")
	if t.user, err = url.PathUnescape(user); err == nil {
		t.password, err = url.PathUnescape(password)
	}
	if err != nil {
		return "", errors.New("has a user name or password with a bad % escape")
	}
	return authority[i+1:], nil
}

func (t *redisTarget) socket(hosts, path string, query url.Values) error {
	if hosts != "" || path == "" {
		return errors.New("has no absolute path of a socket (unix:///run/redis.sock)")
	}
	t.addrs = []string{"/" + path}
	if err := onlyQuery(query, "db"); err != nil {
		return err
	}
	return t.database(query.Get("db"))
}

func (t *redisTarget) single(hosts, path string, query url.Values) error {
	if strings.Contains(hosts, ",") {
		return errors.New("has several hosts: redis+sentinel:// and redis+cluster:// take these")
	}
	if err := t.hosts(hosts, "6379"); err != nil {
		return err
	}
	if err := onlyQuery(query); err != nil {
		return err
	}
	return t.database(path)
}

func (t *redisTarget) sentinels(hosts, path string, query url.Values) error {
	t.mode = redisSentinel
	if err := t.hosts(hosts, "26379"); err != nil {
		return err
	}
	master, db, _ := strings.Cut(path, "/")
	if master == "" {
		return errors.New("does not name the master (redis+sentinel://h1:26379,h2:26379/MASTER/0)")
	}
	name, err := url.PathUnescape(master)
	if err != nil {
		return errors.New("has a master's name with a bad % escape")
	}
	t.master = name
	if err := onlyQuery(query, "sentinel_username", "sentinel_password"); err != nil {
		return err
	}
	t.sentinelUser, t.sentinel = query.Get("sentinel_username"), query.Get("sentinel_password")
	return t.database(db)
}

func (t *redisTarget) cluster(hosts, path string, query url.Values) error {
	t.mode = redisCluster
	if path != "" && path != "0" {
		return errors.New("has a database: a Cluster has only 0")
	}
	if err := t.hosts(hosts, "6379"); err != nil {
		return err
	}
	return onlyQuery(query)
}

// hosts reads a comma separated list of host[:port].
func (t *redisTarget) hosts(list, defaultPort string) error {
	members, ok := splitList(list)
	if !ok || len(members) == 0 {
		return errors.New("has no host, or an empty one in its list")
	}
	for _, member := range members {
		host, port, err := net.SplitHostPort(member)
		if err != nil { // no port
			host, port = strings.TrimSuffix(strings.TrimPrefix(member, "["), "]"), defaultPort
		}
		n, err := strconv.ParseUint(port, 10, 16)
		bare := strings.Contains(host, ":") && !strings.HasPrefix(member, "[")
		if host == "" || err != nil || n == 0 || bare || strings.ContainsAny(host, "[]@#% ") {
			return errors.New("has something that is not host:port where the host stands (escape / ? # % in a password)")
		}
		t.addrs = append(t.addrs, net.JoinHostPort(host, port))
	}
	return nil
}

func (t *redisTarget) database(text string) error {
	if text == "" {
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return errors.New("has a database that is not a number")
	}
	t.db = int(n)
	return nil
}

// onlyQuery refuses other parameters than these: one that is passed over seems to
// be in force.
func onlyQuery(query url.Values, allowed ...string) error {
	for name, values := range query {
		if !slices.Contains(allowed, name) || len(values) != 1 {
			return errors.New("has a query parameter that is unknown there, or twice")
		}
	}
	return nil
}
