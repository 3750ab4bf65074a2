package revocation

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

// The scripts stand in lua/, each with its keys, arguments and reply. Functions
// that several share are put before them as text: Redis 6 has no libraries.
var (
	//go:embed lua/clock.lua
	clockLua string
	//go:embed lua/record.lua
	recordLua string
	//go:embed lua/epoch.lua
	epochLua string
	//go:embed lua/entry.lua
	entryLua string
	//go:embed lua/feed.lua
	feedLua string
	//go:embed lua/revoke.lua
	revokeLua string
	//go:embed lua/undo.lua
	undoLua string
	//go:embed lua/now.lua
	nowLua string
	//go:embed lua/check.lua
	checkLua string
	//go:embed lua/hint.lua
	hintLua string
	//go:embed lua/read.lua
	readLua string
	//go:embed lua/heart.lua
	heartLua string
	//go:embed lua/confirmed.lua
	confirmedLua string
	//go:embed lua/mend.lua
	mendLua string
	//go:embed lua/lose.lua
	loseLua string
	//go:embed lua/open.lua
	openLua string
	//go:embed lua/share.lua
	shareLua string
	//go:embed lua/fill.lua
	fillLua string
	//go:embed lua/merge.lua
	mergeLua string
	//go:embed lua/merged.lua
	mergedLua string
	//go:embed lua/describe.lua
	describeLua string
	//go:embed lua/recover.lua
	recoverLua string
)

// scripts are run by their SHA-1 (EVALSHA), and sent whole when the server does
// not know them, as after a restart or on a promoted replica.
type scripts struct {
	revoke, undo, now, check, read *redis.Script
	lose, open, share              *redis.Script
	merge, merged, recover         *redis.Script
	hint, describe                 *redis.Script
}

func newScripts() scripts {
	return scripts{
		revoke: redis.NewScript(clockLua + recordLua + epochLua + entryLua + feedLua + revokeLua),
		undo:   redis.NewScript(clockLua + recordLua + epochLua + entryLua + feedLua + undoLua),
		now:    redis.NewScript(clockLua + recordLua + epochLua + nowLua),
		check:  redis.NewScript(clockLua + checkLua),
		read:   redis.NewScript(clockLua + readLua),

		hint:     redis.NewScript(clockLua + recordLua + epochLua + feedLua + hintLua),
		lose:     redis.NewScript(clockLua + recordLua + epochLua + mendLua + loseLua),
		open:     redis.NewScript(clockLua + recordLua + epochLua + mendLua + openLua),
		share:    redis.NewScript(clockLua + recordLua + epochLua + mendLua + shareLua),
		merge:    redis.NewScript(clockLua + recordLua + entryLua + feedLua + mendLua + fillLua + mergeLua),
		describe: redis.NewScript(clockLua + describeLua),
		merged:   redis.NewScript(clockLua + recordLua + epochLua + mendLua + mergedLua),
		recover:  redis.NewScript(clockLua + recordLua + epochLua + mendLua + recoverLua),
	}
}
