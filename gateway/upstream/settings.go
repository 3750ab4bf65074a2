package upstream

// Config returns the settings that the upstream was made of, for [Upstream.Same]
// of another one.
func (u *Upstream) Config() Config { return u.config }
