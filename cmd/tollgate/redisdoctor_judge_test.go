package main

import (
	"errors"
	"testing"
)

// TestRedisDoctorReadsInfo: what a server of another version or in trouble says.
func TestRedisDoctorReadsInfo(t *testing.T) {
	always := map[string]string{"appendfsync": "always", "save": "", "min-replicas-to-write": "0"}
	const fine = "# Server\r\nredis_version:7.2.4\r\n# Replication\r\nrole:master\r\nconnected_slaves:0\r\n" +
		"maxmemory_policy:noeviction\r\naof_enabled:1\r\naof_last_write_status:ok\r\nrdb_last_bgsave_status:ok\r\nmaxmemory:0\r\nused_memory:1000\r\n"
	d := mustRedisDoctor(t, "redis://127.0.0.1:1", nil)
	tests := []struct {
		name, info string
		config     map[string]string
		want       []string
	}{
		{name: "fine", config: always},
		{name: "6.0", info: "redis_version:6.0.16\r\n", config: always, want: []string{"error redis.version: Redis 6.0.16 is older than 6.2"}},
		{name: "5", info: "redis_version:5.0.14\r\n", config: always, want: []string{"error redis.version"}},
		{name: "6.2", info: "redis_version:6.2.0\r\n", config: always},
		{name: "10", info: "redis_version:10.0.0\r\n", config: always},
		{name: "no number", info: "redis_version:unstable\r\n", config: always},
		{name: "evicted", info: "evicted_keys:1\r\n", config: always, want: []string{"warning redis.evicted: 1 key evicted"}},
		{name: "the append-only file fails", info: "aof_last_write_status:err\r\n", config: always, want: []string{"error redis.disk: the last write"}},
		{
			name: "snapshots fail", info: "rdb_last_bgsave_status:err\r\n", config: map[string]string{"appendfsync": "always", "save": "60 1", "min-replicas-to-write": "0"},
			want: []string{"error redis.disk: the last snapshot failed"},
		},
		{name: "snapshots failed and are off", info: "rdb_last_bgsave_status:err\r\n", config: always},
		{name: "79 %", info: "maxmemory:1000\r\nused_memory:790\r\n", config: always},
		{name: "80 %", info: "maxmemory:1000\r\nused_memory:800\r\n", config: always, want: []string{"warning redis.memory: 80 % of maxmemory"}},
		{name: "full", info: "maxmemory:1000\r\nused_memory:1001\r\n", config: always, want: []string{"error redis.memory: 100 % of maxmemory"}},
		{name: "full but for buffers", info: "maxmemory:1000\r\nused_memory:1200\r\nmem_not_counted_for_evict:200\r\n", config: always, want: []string{"warning redis.memory: 120 %"}},
		{name: "full, and evicting", info: "maxmemory:1000\r\nused_memory:1001\r\nmaxmemory_policy:allkeys-lru\r\n", config: always, want: []string{"error redis.eviction", "warning redis.memory"}},
		{
			name: "a replica copies", config: always, info: "connected_slaves:2\r\nslave0:ip=10.0.0.1,port=1,state=online,offset=1,lag=0\r\nslave1:ip=10.0.0.2,port=1,state=wait_bgsave,offset=0,lag=0\r\n",
			want: []string{"warning redis.split: 2 replicas and", "warning redis.replicas: 1 of 2 replicas not in step"},
		},
		{name: "a node of a cluster", info: "cluster_enabled:1\r\n", config: always, want: []string{"error redis.mode: this server is a node of a Redis Cluster"}},
		{
			name: "all at once", config: map[string]string{"appendfsync": "no", "save": "", "min-replicas-to-write": "0"},
			info: "redis_version:4.0\r\nrole:slave\r\nmaster_host:h\r\nmaster_port:1\r\nmaxmemory_policy:allkeys-random\r\n",
			want: []string{"error redis.version", "error redis.role: this server is a replica (of h:1)", "error redis.eviction", "warning redis.fsync"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &redisServer{where: "h:1", info: parseInfo(fine + tt.info), config: tt.config}
			got := d.judge(s)
			wantFindings(t, got, tt.want...)
			for _, f := range got {
				if f.Where != "h:1" {
					t.Errorf("%s is at %q", f.Check, f.Where)
				}
			}
		})
	}
}

func TestJudgeCluster(t *testing.T) {
	tests := []struct {
		name, info string
		want       []string
	}{
		{"fine", "cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_slots_pfail:0\r\ncluster_slots_fail:0\r\n", nil},
		{"uncovered", "cluster_state:fail\r\ncluster_slots_assigned:16000\r\n", []string{
			"error redis.cluster: 384 of 16384 slots are covered by no node", "error redis.cluster: cluster_state is fail",
		}},
		{"down", "cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_slots_pfail:1\r\ncluster_slots_fail:5461\r\n", []string{
			"error redis.cluster: 5461 slots of nodes that are down", "error redis.cluster: 1 slot of nodes that may be down",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantFindings(t, judgeCluster(parseInfo(tt.info), "h:1"), tt.want...) })
	}
}

func TestJudgeSentinels(t *testing.T) {
	master := func(ip, flags, others string) map[string]string {
		return map[string]string{"ip": ip, "port": "6379", "flags": flags, "num-other-sentinels": others, "quorum": "2"}
	}
	fine := func(addr string) *sentinelView {
		return &sentinelView{addr: addr, master: master("10.0.0.1", "master", "2")}
	}
	tests := []struct {
		name  string
		views []*sentinelView
		want  []string
	}{
		{"fine", []*sentinelView{fine("a"), fine("b"), fine("c")}, []string{"info redis.sentinel: the primary m is seen by 3 of 3 Sentinels asked; 3 Sentinels known, quorum 2"}},
		{"one is away", []*sentinelView{fine("a"), {addr: "b", err: errors.New("connection refused")}}, []string{
			"warning redis.sentinel: this Sentinel gives no answer about m: connection refused", "info redis.sentinel: the primary m is seen by 1 of 2",
		}},
		{"all are away", []*sentinelView{{addr: "b", err: errors.New("refused")}}, []string{"warning redis.sentinel: this Sentinel gives no answer"}},
		{"no quorum", []*sentinelView{{addr: "a", master: master("10.0.0.1", "master", "2"), quorum: errors.New("NOQUORUM 1 usable Sentinels")}}, []string{
			"error redis.sentinel: SENTINEL CKQUORUM: NOQUORUM", "info redis.sentinel: the primary m is seen by 1 of 1 Sentinel ",
		}},
		{"the primary is down", []*sentinelView{{addr: "a", master: master("10.0.0.1", "s_down,master", "2")}}, []string{
			"error redis.sentinel: this Sentinel takes the primary for dead (s_down,master)",
		}},
		{"of two minds", []*sentinelView{fine("a"), {addr: "b", master: master("10.0.0.2", "master", "2")}}, []string{
			"error redis.sentinel: the Sentinels name different primaries: 10.0.0.1:6379 by a; 10.0.0.2:6379 by b", "info redis.sentinel",
		}},
		{"alone", []*sentinelView{{addr: "a", master: master("10.0.0.1", "master", "0")}}, []string{"warning redis.sentinel: there is one Sentinel of m", "info redis.sentinel"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantFindings(t, judgeSentinels(tt.views, "m"), tt.want...) })
	}
}
