package main

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// clockSkew is how far this process's clock is surely ahead of Redis's, behind when
// negative; the time that the question took is nobody's error.
func clockSkew(ctx context.Context, client redis.UniversalClient) (time.Duration, error) {
	sent := time.Now()
	there, err := client.Time(ctx).Result()
	if err != nil {
		return 0, fmt.Errorf("ask Redis for the time: %w", err)
	}
	return skewOf(sent, there, time.Now()), nil
}

// skewOf compares a reading of another clock with the two of ours around it.
func skewOf(sent, there, back time.Time) time.Duration {
	sent, back = sent.Round(0), back.Round(0)
	switch {
	case there.Before(sent):
		return sent.Sub(there)
	case there.After(back):
		return back.Sub(there)
	}
	return 0
}
