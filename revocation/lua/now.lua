-- now.lua takes the next store time, and begins an epoch when there is none.
--
-- KEYS  1 epoch, 2 feed
-- ARGV  1 id if a new epoch must begin
--       2 floor of store time (see epoch.lua)
--       3 '1': an epoch that is the store's very first vouches for every token
--       4 longest life of an access token that the caller allows (ms)
-- returns {store time (µs), id of the epoch}

local epoch = load_epoch(KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]))
local now = store_time(real_time(), epoch.clock)
epoch.clock = now
save_epoch(KEYS[1], epoch, now, ARGV[3] == '1')
longest_access(KEYS[1], tonumber(ARGV[4]))
return {text(now), epoch.id}
