package remote_test

import "testing"

// Sets of others are bounded in time, size and number, lose their bad keys one by
// one, are never replaced by what is worth nothing, and are asked for at most once
// in an interval (JWKS_MIN_REFETCH) because of unknown kids. The last good set holds
// up to a hard age. Traefik
// CVE-2026-26998 read an answer without a bound.
func TestMustHold18_ForeignKeySets(t *testing.T) {
	t.Run("worthless answers replace nothing", TestHostileAnswers)
	t.Run("bad keys go one by one", TestMixedSets)
	t.Run("a flood of kids costs one fetch", TestFlood)
	t.Run("waiting is bounded", TestWaitersAreBounded)
	t.Run("known kids never wait", TestKnownKidsNeverWait)
}
