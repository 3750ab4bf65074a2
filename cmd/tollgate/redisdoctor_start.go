package main

import (
	"context"
	"errors"
	"time"
)

// startLook is how long the look at Redis may take when serve starts.
const startLook = time.Second

// warnAboutRedis logs what the doctor finds about Redis, beside the start: it takes
// startLook at most and nobody waits for it. What it says needs somebody's hand
// sooner or later, but is no reason not to serve.
func (a *app) warnAboutRedis(ctx context.Context) {
	if a.redis.Embedded {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startLook)
	done := make(chan struct{})
	a.closeOthers = append(a.closeOthers, func() { cancel(); <-done })
	go func() {
		defer close(done)
		defer cancel()
		began := time.Now()
		found := newRedisDoctor(a.config, a.redis, time.Now).examine(ctx)
		// A connection's deadline may come a little before the context's own.
		unfinished := time.Since(began) >= startLook-startLook/10
		if !errors.Is(ctx.Err(), context.Canceled) { // else the process is ending
			a.logFindings(found, unfinished)
		}
	}()
}

// logFindings logs findings that are more than notes. What is unfinished only
// because the time was over is no fault of anybody.
func (a *app) logFindings(all []finding, unfinished bool) {
	if unfinished {
		a.log.Info(`Redis was not looked at to the end; "tollgate doctor" takes its time`, "within", startLook)
	}
	for _, f := range merged(all) {
		if f.Level == levelInfo || unfinished && f.Check == "redis.reach" {
			continue
		}
		a.log.Warn("redis: "+f.Found, "check", f.Check, "level", string(f.Level), "where", f.Where, "meaning", f.Meaning, "do", f.Do)
	}
}
