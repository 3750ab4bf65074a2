package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"
	"time"

	"tollgate/gateway"
)

// upstreamPatience is how long all upstreams together have to take a connection.
const upstreamPatience = 5 * time.Second

// upstreams looks whether the targets of the routes take connections.
func (d *doctor) upstreams(ctx context.Context) {
	if d.table == nil || !d.online {
		return
	}
	d.look("upstreams")
	for _, u := range unreachable(ctx, d.table) {
		f := finding{
			Level: levelError, Check: "upstreams.reach", Where: u.name, Found: u.url + " cannot be reached: " + u.err.Error(),
			Meaning: "requests for it are answered with 502",
			Do:      "start it, or correct the address; this machine has to be able to connect to it",
		}
		if u.others {
			f.Level, f.Meaning = levelWarning, "its requests go to the other targets"
		}
		d.add(f)
	}
}

// unreached is a target that takes no connection.
type unreached struct {
	name, url string
	others    bool // another target of the upstream does
	err       error
}

// unreachable tries every target once, all at the same time.
func unreachable(ctx context.Context, table *gateway.Table) []unreached {
	ctx, cancel := context.WithTimeout(ctx, upstreamPatience)
	defer cancel()
	type target struct {
		name, url string
		err       error
	}
	var targets []*target
	for _, r := range table.Routes() {
		for _, raw := range r.Upstream.URLs() {
			if !slices.ContainsFunc(targets, func(t *target) bool { return t.name == r.Upstream.Name() && t.url == raw }) {
				targets = append(targets, &target{name: r.Upstream.Name(), url: raw})
			}
		}
	}
	var all sync.WaitGroup
	for _, t := range targets {
		all.Go(func() { t.err = dial(ctx, t.url) })
	}
	all.Wait()
	var out []unreached
	for _, t := range targets {
		if t.err == nil {
			continue
		}
		others := slices.ContainsFunc(targets, func(o *target) bool { return o.name == t.name && o.err == nil })
		out = append(out, unreached{t.name, t.url, others, t.err})
	}
	return out
}

// dial opens a connection to a URL's host and closes it.
func dial(ctx context.Context, raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return fmt.Errorf("not a URL: %w", err)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return err
	}
	return conn.Close()
}
