-- recover.lua vouches for every token again, whatever was lost: somebody said so.
--
-- KEYS  1 epoch, 2 feed
-- ARGV  1 id if an epoch must begin   2 floor of store time (see epoch.lua)
--       3 who said so, and how
-- returns the epoch's state (see mend.lua)

local epoch = load_epoch(KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]))
local now = store_time(real_time(), epoch.clock)
epoch.clock = now
save_epoch(KEYS[1], epoch, now, false)
forget(KEYS[1], mended_fields(fields(redis.call('HGETALL', KEYS[1]))))
redis.call('HSET', KEYS[1], 'born', '0', 'complete_since', '0', 'recovered', text(now) .. ' ' .. ARGV[3])
return state(KEYS[1])
