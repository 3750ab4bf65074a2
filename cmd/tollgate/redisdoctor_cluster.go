package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"tollgate/internal/telemetry"
)

const clusterSlots = 16384

// cluster asks one node how it sees the cluster.
func (d *redisDoctor) cluster(ctx context.Context) []finding {
	client, ok := d.clients.Slow.(*redis.ClusterClient)
	if !ok {
		return nil
	}
	text, err := client.ClusterInfo(ctx).Result()
	if err != nil {
		f := finding{
			Level: levelError, Check: "redis.cluster", Where: d.settings.name(), Found: "CLUSTER INFO failed: " + telemetry.Scrub(err.Error()),
			Meaning: "whether all slots are served is not known",
			Do:      "look at the cluster: redis-cli --user operator --cluster check HOST:PORT",
		}
		if forbidden(err) {
			f.Level, f.Found = levelInfo, "CLUSTER INFO is forbidden to this user"
		}
		return []finding{f}
	}
	return judgeCluster(parseInfo(text), d.settings.name())
}

// judgeCluster reads a CLUSTER INFO. Keys are spread over all slots, those of
// revocations alone are in one.
func judgeCluster(info map[string]string, where string) []finding {
	number := func(field string) int { n, _ := strconv.Atoi(info[field]); return n } // a node always writes them
	var out []finding
	fault := func(found string) {
		out = append(out, finding{
			Level: levelError, Check: "redis.cluster", Where: where, Found: found,
			Meaning: "keys in these slots cannot be read or written: some users cannot log in, and if the slot of {rev} is among them nothing can be revoked",
			Do:      "look at the cluster: redis-cli --user operator --cluster check HOST:PORT; start the nodes that are missing",
		})
	}
	if missing := clusterSlots - number("cluster_slots_assigned"); missing > 0 {
		fault(fmt.Sprintf("%d of %d slots are covered by no node", missing, clusterSlots))
	}
	if n := number("cluster_slots_fail"); n > 0 {
		fault(plural(n, "slot") + " of nodes that are down")
	}
	if n := number("cluster_slots_pfail"); n > 0 {
		fault(plural(n, "slot") + " of nodes that may be down")
	}
	if state := info["cluster_state"]; state != "ok" {
		out = append(out, finding{
			Level: levelError, Check: "redis.cluster", Where: where, Found: "cluster_state is " + state,
			Meaning: "the nodes refuse commands (CLUSTERDOWN): requests are refused with 503",
			Do:      "look at the cluster: redis-cli --user operator --cluster check HOST:PORT; start the nodes that are missing",
		})
	}
	return out
}
