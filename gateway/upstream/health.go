package upstream

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Run checks the targets until ctx ends: each at once, then every Health.Every.
func (u *Upstream) Run(ctx context.Context) {
	if u.config.Health.Path == "" {
		<-ctx.Done()
		return
	}
	var all sync.WaitGroup
	for _, t := range u.targets {
		all.Go(func() { u.watch(ctx, t) })
	}
	all.Wait()
}

func (u *Upstream) watch(ctx context.Context, t *target) {
	every := u.config.Health.Every
	for {
		err := u.probe(ctx, t)
		if ctx.Err() != nil {
			return // a check that was cut off says nothing
		}
		u.checked(t, err)
		// Many edges that started together do not ask together for ever.
		pause := time.NewTimer(every - every/10 + rand.N(every/5+1)) //nolint:gosec // spreading load needs no secrecy
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

// probe asks once.
func (u *Upstream) probe(ctx context.Context, t *target) error {
	h := u.config.Health
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	where, err := url.ParseRequestURI(h.Path)
	if err != nil {
		return err
	}
	r := &http.Request{
		Method: http.MethodGet, URL: where, Host: h.Host,
		Header: http.Header{"User-Agent": {"tollgate-health"}},
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	bare := &target{url: t.url} // the path stands for itself
	a, res, err := u.hand(r.WithContext(ctx), bare, nil)
	if err != nil {
		return err
	}
	defer a.stop(nil)
	defer res.Body.Close()
	// Read to its end, a short answer leaves the connection for requests.
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if res.StatusCode < 200 || res.StatusCode > 399 {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	return nil
}

// checked counts the outcome of a check.
func (u *Upstream) checked(t *target, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lastCheck = u.config.Now()
	log := u.config.Log.With("upstream", u.config.Name, "target", t.url.String())
	sick := t.sick.Load()
	if err != nil {
		t.lastError = "check: " + err.Error()
	} else if t.failures.Load() == 0 {
		t.lastError = ""
	}
	if sick == (err != nil) {
		t.streak = 0
		return
	}
	t.streak++
	switch {
	case sick && t.streak >= u.config.Health.Healthy:
		t.sick.Store(false)
		t.streak = 0
		log.Info("upstream target is healthy")
	case !sick && t.streak >= u.config.Health.Unhealthy:
		t.sick.Store(true)
		t.streak = 0
		log.Warn("upstream target is unhealthy", "error", err)
	}
}
