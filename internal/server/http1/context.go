package http1

import (
	"context"
	"sync"
)

// requestContext is the context of one request: the connection's, with an end of its
// own. What most requests do not need, a channel and hooks, is made on demand.
type requestContext struct {
	context.Context // the connection's

	mu    sync.Mutex
	err   error
	done  chan struct{}
	hook  func()         // the first one
	hooks map[int]func() // the others
	n     int            // of hooks ever
}

// Done implements context.Context.
func (c *requestContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

// Err implements context.Context.
func (c *requestContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// AfterFunc is what [context.AfterFunc] does, which knows of it.
func (c *requestContext) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		go f()
		return func() bool { return false }
	}
	c.n++
	if c.n == 1 {
		c.hook = f
		return c.unhookFirst
	}
	if c.hooks == nil {
		c.hooks = map[int]func(){}
	}
	n := c.n
	c.hooks[n] = f
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, there := c.hooks[n]
		delete(c.hooks, n)
		return there
	}
}

func (c *requestContext) unhookFirst() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	there := c.hook != nil
	c.hook = nil
	return there
}

// cancel ends the request.
func (c *requestContext) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = context.Canceled
	if c.done != nil {
		close(c.done)
	}
	if c.hook != nil {
		go c.hook()
		c.hook = nil
	}
	for _, f := range c.hooks {
		go f()
	}
	c.hooks = nil
}
