package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"tollgate/internal/server"
)

// collectors show what is asked for rather than counted.
func (a *app) collectors() []prometheus.Collector {
	all := []prometheus.Collector{
		newCollector(a), newKeysCollector(a), a.health, newRedisCollector(a.redis),
		newTLSCollector(func() server.Handshakes { return a.server.Handshakes(publicListener) }),
	}
	if m := a.revocations.mirror; m != nil {
		all = append(all, newMirrorCollector(m.Status))
	}
	return all
}
