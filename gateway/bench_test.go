package gateway

import (
	"testing"

	"tollgate/keys"
)

// BenchmarkEdge is one request from the edge's listener to the back end and back, over
// loopback: warm with a token seen before, cold with one whose signature is checked
// anew. Client and back end run in the same process, so that the time is more than the
// edge's; the allocations are the edge's alone.
func BenchmarkEdge(b *testing.B) {
	for _, alg := range []keys.Algorithm{keys.RS256, keys.ES256} {
		for name, memory := range map[string]int64{"warm": 1 << 24, "cold": 0} {
			b.Run(name+"/"+string(alg), func(b *testing.B) {
				l := mustLine(b, alg, memory)
				c, request := l.dial(b), l.request(b, 42)
				c.ask(b, request)
				b.ReportAllocs()
				for b.Loop() {
					c.ask(b, request)
				}
			})
		}
	}
}
