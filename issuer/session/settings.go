package session

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Settings are the lives of a session and its tokens. Lives count whole seconds.
type Settings struct {
	AccessTTL  time.Duration // life of an access token
	RefreshTTL time.Duration // life of a refresh token
	// SlidingTTL is the life of a sliding token, SlidingRefreshTTL how long after the
	// log-in it can be exchanged for a later one. Zero means 5 minutes and 24 hours.
	SlidingTTL, SlidingRefreshTTL time.Duration
	// MaxTTL is the longest life of a session, from its log-in: no token of it,
	// refresh or access, outlives that.
	MaxTTL time.Duration
	// Grace is how long after a rotation the spent token still gets the same
	// successor. Zero: only while the answer was not delivered.
	Grace time.Duration
	// UndeliveredCap is how long an answer that was not marked delivered may be
	// fetched again. Zero means 10 minutes.
	UndeliveredCap time.Duration
	// Leeway is what verifiers allow after exp; records live that much longer.
	Leeway time.Duration
	// Rotate: a refresh spends the refresh token. Otherwise it keeps its generation
	// and jti, and only the access token is new.
	Rotate bool

	SweepEvery time.Duration // pause between sweeps; zero means 5 s
	Log        *slog.Logger  // failures of the sweep; nil: none
}

const (
	defaultUndelivered = 10 * time.Minute
	defaultSweepEvery  = 5 * time.Second

	defaultSliding        = 5 * time.Minute
	defaultSlidingRefresh = 24 * time.Hour
)

// Validate reports every life that cannot work.
func (s Settings) Validate() error {
	var errs []error
	set := s.withDefaults()
	for _, ttl := range []struct {
		name string
		d    time.Duration
	}{{"access", s.AccessTTL}, {"refresh", s.RefreshTTL}, {"longest session", s.MaxTTL}, {"sliding", set.SlidingTTL}, {"sliding refresh", set.SlidingRefreshTTL}} {
		if ttl.d < time.Second {
			errs = append(errs, fmt.Errorf("the %s life %s is under one second", ttl.name, ttl.d))
		}
	}
	for _, span := range []struct {
		name string
		d    time.Duration
	}{{"grace", s.Grace}, {"undelivered cap", s.UndeliveredCap}, {"leeway", s.Leeway}, {"sweep pause", s.SweepEvery}} {
		if span.d < 0 {
			errs = append(errs, fmt.Errorf("the %s %s is negative", span.name, span.d))
		}
	}
	return errors.Join(errs...)
}

func (s Settings) withDefaults() Settings {
	if s.UndeliveredCap == 0 {
		s.UndeliveredCap = defaultUndelivered
	}
	if s.SlidingTTL == 0 {
		s.SlidingTTL = defaultSliding
	}
	if s.SlidingRefreshTTL == 0 {
		s.SlidingRefreshTTL = defaultSlidingRefresh
	}
	if s.SweepEvery == 0 {
		s.SweepEvery = defaultSweepEvery
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	return s
}

// keep is how long the sets that list sessions live: nothing in them matters longer.
func (s Settings) keep() time.Duration { return s.MaxTTL + s.Leeway + time.Second }

// leeway in whole seconds, rounded up: a record must not die before its token.
func (s Settings) leeway() int64 { return seconds(s.Leeway + time.Second - 1) }

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// MaxTTL is the longest life of a session.
func (s *Store) MaxTTL() time.Duration { return s.settings.MaxTTL }
