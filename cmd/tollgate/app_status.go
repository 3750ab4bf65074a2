package main

import (
	"context"
	"strings"
	"time"

	"tollgate/issuer/statuslist"
	"tollgate/issuer/store"
	"tollgate/revocation"
)

// openStatus opens the status lists, where they are asked for. They follow the feed
// over a connection of their own: what they remember of it is not what the edge
// needs, and neither has to wait for the other.
func (a *app) openStatus() error {
	c := a.config
	if !c.Tokens.StatusList.Value {
		return nil
	}
	ledger := statuslist.NewLedger(nil)
	feed, err := revocation.NewFeed(revocation.FeedConfig{
		Client: a.redis.Slow, Prefix: c.Redis.Prefix.Value, Log: a.log, Block: 500 * time.Millisecond,
		Replicas: c.Redis.MinReplicas.Value, // a primary that was deposed must not vouch for a list either
		Apply:    ledger.Apply, Gap: ledger.Gap, Epoch: ledger.Epoch, Level: ledger.Level,
	})
	if err != nil {
		return err
	}
	a.status, err = statuslist.New(statuslist.Config{
		Issuer: c.Tokens.Issuer.Value, Base: c.publicURL(), AccessTTL: c.Tokens.AccessTTL.Value, Leeway: c.Tokens.Leeway.Value,
		Index: store.NewStatusLists(a.redis.Slow, c.Redis.Prefix.Value), Ledger: ledger, Things: a.slow.Things,
		Head: func(ctx context.Context) (uint64, error) { e, err := a.slow.Epoch(ctx); return e.N, err },
		Sign: a.ring.Sign,
	})
	if err != nil {
		return err
	}
	a.server.Support("status lists", feed.Run)
	return nil
}

// publicURL is the URL under which others reach the public listener, without a
// final slash; empty where none is known. The path of an issuer is no path of the
// listener: its rows stand at the root.
func (c *Config) publicURL() string {
	if u := c.Listeners.PublicURL.Value; u != nil {
		return strings.TrimRight(u.String(), "/")
	}
	issuer := c.Tokens.Issuer
	if !issuer.web() {
		return ""
	}
	scheme, rest, _ := strings.Cut(issuer.Value, "://")
	host, _, _ := strings.Cut(rest, "/")
	if host == "" {
		return ""
	}
	return scheme + "://" + host
}

// statusList: a token names its status list by a URL, in a claim of its own.
func (r *rules) statusList() {
	const name = "TOLLGATE_STATUS_LIST"
	t := &r.c.Tokens
	if !t.StatusList.Value {
		return
	}
	if !r.c.Roles.Issuer.Value {
		r.warn(name, "does nothing without the issuer role")
		return
	}
	if r.c.publicURL() == "" && !r.faulty["TOLLGATE_ISSUER"] && t.Issuer.Value != "" {
		r.fault("TOLLGATE_PUBLIC_URL", "is required with "+name+" while TOLLGATE_ISSUER is no http(s) URL")
	}
	const claim = "status"
	for _, custom := range t.Claims.Value {
		if strings.EqualFold(custom.Name, claim) {
			r.fault("TOLLGATE_CLAIMS", shown(custom.Name)+" is the claim of "+name+", case aside")
		}
	}
	if strings.EqualFold(t.UserIDClaim.Value, claim) {
		r.fault("TOLLGATE_USER_ID_CLAIM", "is the claim of "+name+", case aside")
	}
}
