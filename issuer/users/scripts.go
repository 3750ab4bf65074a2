package users

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

// Each script touches one key, so each works on a Redis Cluster.
var (
	//go:embed scripts/claim.lua
	claimLua string
	//go:embed scripts/confirm.lua
	confirmLua string
	//go:embed scripts/release.lua
	releaseLua string
	//go:embed scripts/name.lua
	nameLua string
	//go:embed scripts/unname.lua
	unnameLua string
	//go:embed scripts/reserve.lua
	reserveLua string
	//go:embed scripts/update.lua
	updateLua string
)

type scripts struct {
	claim, confirm, release, name, unname, reserve, update *redis.Script
}

func loadScripts() scripts {
	return scripts{
		claim: redis.NewScript(claimLua), confirm: redis.NewScript(confirmLua),
		release: redis.NewScript(releaseLua), name: redis.NewScript(nameLua),
		unname: redis.NewScript(unnameLua), reserve: redis.NewScript(reserveLua),
		update: redis.NewScript(updateLua),
	}
}
