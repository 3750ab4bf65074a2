package http1

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestRequestContext(t *testing.T) {
	parent, cancel := context.WithTimeout(context.WithValue(t.Context(), ctxKey{}, "v"), time.Hour)
	defer cancel()
	c := &requestContext{Context: parent}
	if _, set := c.Deadline(); !set || c.Value(ctxKey{}) != "v" || c.Err() != nil {
		t.Error("not the connection's")
	}
	ran := make(chan string, 4)
	first := context.AfterFunc(c, func() { ran <- "first" })
	c.AfterFunc(func() { ran <- "second" })
	third := c.AfterFunc(func() { ran <- "third" })
	child, stop := context.WithCancel(c)
	defer stop()
	if !first() || first() || !third() || third() {
		t.Error("stopping says what it did wrongly")
	}
	c.cancel()
	c.cancel()
	<-c.Done()
	<-child.Done()
	if got := <-ran; got != "second" {
		t.Errorf("%s ran", got)
	}
	if !errors.Is(c.Err(), context.Canceled) || !errors.Is(context.Cause(child), context.Canceled) {
		t.Errorf("%v, %v", c.Err(), context.Cause(child))
	}
	if late := c.AfterFunc(func() { ran <- "late" }); late() {
		t.Error("a hook behind the end was stopped")
	}
	if got := <-ran; got != "late" {
		t.Errorf("%s ran", got)
	}
}

type ctxKey struct{}

// What ends all requests of a server ends the one that is being served, and one that
// comes later.
func TestCut(t *testing.T) {
	c := &conn{}
	ctx, cancel := context.WithCancel(t.Context())
	c.ctx, c.watch.conn = ctx, c
	now, later := &requestContext{Context: ctx}, &requestContext{Context: ctx}
	c.watch.begin(now, &body{})
	c.watch.cut()
	if now.Err() == nil {
		t.Error("the request goes on")
	}
	c.watch.finish()
	c.watch.cut() // nobody is there
	cancel()
	c.watch.begin(later, &body{})
	if later.Err() == nil {
		t.Error("a request after the end")
	}
	c.watch.finish()
	c.watch.stop()
}
