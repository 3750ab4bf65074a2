package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/telemetry"
)

// minSentinels is how many it takes until the death of one, with the machine of the
// primary or without, leaves a majority.
const minSentinels = 3

// sentinelView is what one Sentinel says of the primary.
type sentinelView struct {
	addr   string
	err    error
	master map[string]string // of SENTINEL MASTER
	quorum error             // of SENTINEL CKQUORUM
}

// sentinels asks every Sentinel of the URL.
func (d *redisDoctor) sentinels(ctx context.Context) []finding {
	base, err := d.settings.options()
	if err != nil {
		return nil // the clients were made of the same
	}
	views := make([]*sentinelView, len(base.Addrs))
	var all sync.WaitGroup
	for i, addr := range base.Addrs {
		o := slowOptions(base)
		client := redis.NewSentinelClient(&redis.Options{
			Addr: addr, Username: base.SentinelUsername, Password: base.SentinelPassword, TLSConfig: base.TLSConfig,
			DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout, ContextTimeoutEnabled: true,
			MaxRetries: -1, DialerRetries: 1, DisableIdentity: true, MaintNotificationsConfig: noMaintenance(),
		})
		all.Go(func() {
			defer func() { _ = client.Close() }()
			v := &sentinelView{addr: addr}
			if v.master, v.err = client.Master(ctx, base.MasterName).Result(); v.err == nil {
				v.quorum = client.CkQuorum(ctx, base.MasterName).Err()
			}
			views[i] = v
		})
	}
	all.Wait()
	return judgeSentinels(views, base.MasterName)
}

// judgeSentinels compares what the Sentinels say.
func judgeSentinels(views []*sentinelView, master string) []finding {
	var out []finding
	add := func(l level, where, found, meaning, do string) {
		out = append(out, finding{Level: l, Check: "redis.sentinel", Where: where, Found: found, Meaning: meaning, Do: do})
	}
	seen, known, quorum := 0, 0, ""
	places := map[string][]string{}
	for _, v := range views {
		if v.err != nil {
			add(levelWarning, v.addr, "this Sentinel gives no answer about "+master+": "+telemetry.Scrub(v.err.Error()),
				"it does not take part in a failover, and whoever asks it alone does not find Redis",
				"start it, or take it out of TOLLGATE_REDIS_URL; SENTINEL MONITOR when it does not know the name")
			continue
		}
		if strings.Contains(v.master["flags"], "down") {
			add(levelError, v.addr, "this Sentinel takes the primary for dead ("+v.master["flags"]+")",
				"it cannot reach it; with enough of the same opinion another server takes over", "look at the primary, and at the network in between")
		} else {
			seen++
		}
		if v.quorum != nil && !forbidden(v.quorum) {
			add(levelError, v.addr, "SENTINEL CKQUORUM: "+telemetry.Scrub(v.quorum.Error()),
				"not enough Sentinels are reachable: nobody takes over when the primary dies", "bring the other Sentinels back")
		}
		others, _ := strconv.Atoi(v.master["num-other-sentinels"]) // a Sentinel always writes it
		known, quorum = max(known, others+1), v.master["quorum"]
		place := net.JoinHostPort(v.master["ip"], v.master["port"])
		places[place] = append(places[place], v.addr)
	}
	if len(places) > 1 {
		var said []string
		for place, by := range places {
			said = append(said, place+" by "+strings.Join(by, ", "))
		}
		slices.Sort(said)
		add(levelError, "", "the Sentinels name different primaries: "+strings.Join(said, "; "),
			"processes write to different servers, and one of them is lost when they agree again",
			"wait if a failover is under way; else SENTINEL RESET on those that are wrong")
	}
	if known > 0 && known < minSentinels {
		add(levelWarning, "", fmt.Sprintf("there %s of %s", map[bool]string{true: "is one Sentinel", false: "are two Sentinels"}[known == 1], master),
			"when one of them dies, with the machine of the primary perhaps, no majority is left to let another server take over",
			"run three, on machines of their own")
	}
	if seen > 0 {
		add(levelInfo, "", fmt.Sprintf("the primary %s is seen by %d of %s asked; %s known, quorum %s", master, seen, plural(len(views), "Sentinel"), plural(known, "Sentinel"), quorum),
			"that many have to agree before another server takes over", "")
	}
	return out
}
