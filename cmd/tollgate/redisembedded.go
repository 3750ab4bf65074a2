package main

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// embeddedRedis is a Redis inside of this process, for trying out: it keeps
// nothing. It listens on a random port of loopback, behind a random password,
// since other users of the machine can reach loopback too.
type embeddedRedis struct {
	server   *miniredis.Miniredis
	addr     string
	password string
	stop     chan struct{}
	done     chan struct{}
}

// startEmbedded starts one; Close ends it.
func startEmbedded() (*embeddedRedis, error) {
	e := &embeddedRedis{
		server: miniredis.NewMiniRedis(), password: rand.Text(),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	e.server.RequireAuth(e.password)
	if err := e.server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start embedded Redis: %w", err)
	}
	e.addr = e.server.Addr()
	go e.age()
	return e, nil
}

// Close ends it and waits until it has.
func (e *embeddedRedis) Close() {
	close(e.stop)
	<-e.done
	e.server.Close()
}

// age lets keys expire: miniredis's TTLs stand still unless they are moved, and its
// own ClockTTL sorts all keys at each command. It moves them by the time that
// really passed, so that a process that was stopped does not keep keys too long.
func (e *embeddedRedis) age() {
	defer close(e.done)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-e.stop:
			return
		case now := <-tick.C:
			e.server.FastForward(now.Sub(last))
			last = now
		}
	}
}
