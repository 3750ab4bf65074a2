package session

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

// Each script touches one key, so each works on a Redis Cluster.
var (
	//go:embed scripts/record.lua
	recordLua string
	//go:embed scripts/start.lua
	startLua string
	//go:embed scripts/rotate.lua
	rotateLua string
	//go:embed scripts/peek.lua
	peekLua string
	//go:embed scripts/delivered.lua
	deliveredLua string
	//go:embed scripts/register.lua
	registerLua string
	//go:embed scripts/mark.lua
	markLua string
	//go:embed scripts/finish.lua
	finishLua string
	//go:embed scripts/slide.lua
	slideLua string
	//go:embed scripts/solo.lua
	soloLua string
	//go:embed scripts/renew.lua
	renewLua string
)

type scripts struct {
	start, rotate, peek, delivered, register, mark, finish, slide, solo, renew *redis.Script
}

func loadScripts() scripts {
	return scripts{
		start:     redis.NewScript(recordLua + startLua),
		rotate:    redis.NewScript(recordLua + rotateLua),
		peek:      redis.NewScript(recordLua + peekLua),
		slide:     redis.NewScript(recordLua + slideLua),
		solo:      redis.NewScript(recordLua + soloLua),
		renew:     redis.NewScript(recordLua + renewLua),
		delivered: redis.NewScript(deliveredLua),
		register:  redis.NewScript(registerLua),
		mark:      redis.NewScript(markLua),
		finish:    redis.NewScript(finishLua),
	}
}
