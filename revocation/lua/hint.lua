-- hint.lua tells whoever follows the feed that something beside the revocations has
-- changed. The record names no entry and is over soon.
--
-- KEYS  1 epoch, 2 feed
-- ARGV  1 id if a new epoch must begin   2 floor of store time (see epoch.lua)
--       3 nonce of the feed record       4 kind of the record   5 its life (s)
-- returns {store time (µs)}

local real = real_time()
local epoch = load_epoch(KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]))
local now = store_time(real, epoch.clock)
epoch.clock = now
append(KEYS[2], epoch, ARGV[3], {
  d = string.rep('0', 32), k = ARGV[4], cut = '0', exp = text(math.ceil(real / 1000000) + tonumber(ARGV[5])), at = text(now),
})
save_epoch(KEYS[1], epoch, now, false)
return {text(now)}
