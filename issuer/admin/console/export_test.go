package console

// For tests in package console_test.
const (
	MaxOfOne    = maxOfOne
	MaxSessions = maxSessions
)

// LogIns counts them by the id of their token.
func (c *Console) LogIns() map[string]int {
	c.sessions.mu.Lock()
	defer c.sessions.mu.Unlock()
	out := map[string]int{}
	for _, one := range c.sessions.live {
		out[one.id]++
	}
	return out
}
