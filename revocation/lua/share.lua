-- share.lua says whether a process has yet to put back what perhaps nobody else has; then
-- settles (see mend.lua).
--
-- KEYS  1 epoch
-- ARGV  1 id of the epoch: of another one nothing is said
--       2 name of the process   3 '1': it has yet to   4 µs for which that is believed
--       5 window (µs)   6 how long ago the caller noticed the loss (µs)
-- returns the epoch's state (see mend.lua)

local f = redis.call('HMGET', KEYS[1], 'id', 'lost')
if f[1] ~= ARGV[1] or not f[2] then
  return state(KEYS[1])
end
local real = real_time()
if ARGV[3] == '1' then
  redis.call('HSET', KEYS[1], 'h:' .. ARGV[2], text(real + tonumber(ARGV[4])))
else
  redis.call('HDEL', KEYS[1], 'h:' .. ARGV[2])
end
settle(KEYS[1], real, tonumber(ARGV[5]), tonumber(ARGV[6]))
return state(KEYS[1])
