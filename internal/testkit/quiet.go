package testkit

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// QuietRedis silences what go-redis itself says, for the whole test process: of a
// server that a test stopped it has a line for each attempt. Call it in TestMain.
func QuietRedis() { redis.SetLogger(quiet{}) }

type quiet struct{}

// Printf implements go-redis's logger.
func (quiet) Printf(context.Context, string, ...any) {}
