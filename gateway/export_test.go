package gateway

import "tollgate/keys/token"

// Expire ends every open stream as its timer would.
func (g *Gateway) Expire() {
	g.streams.mu.Lock()
	var all []*stream
	for _, set := range g.streams.byDigest {
		for st := range set {
			all = append(all, st)
		}
	}
	g.streams.mu.Unlock()
	for _, st := range all {
		st.finish(token.ReasonExpired)
	}
}
