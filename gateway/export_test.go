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

// ReadRoutes is ReadRoutesFiles for who does not ask about files.
func ReadRoutes(data []byte, d Defaults) (*Table, error) {
	table, _, err := ReadRoutesFiles(data, d)
	return table, err
}
