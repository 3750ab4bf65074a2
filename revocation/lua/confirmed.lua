-- confirmed.lua notes that replicas have a beat. It is run on the connection on which
-- the beat was written and waited for.
--
-- KEYS  1 epoch
-- ARGV  1 beat  2 id of the epoch in which it was written  3 real time (µs) of it
-- returns '1' when it was noted; '0' when the epoch is another one now, or has not
--         got that far (its server came back with less)

local f = redis.call('HMGET', KEYS[1], 'id', 'beat', 'confirmed')
local beat = tonumber(ARGV[1])
if f[1] ~= ARGV[2] or tonumber(f[2] or 0) < beat then
  return '0'
end
if tonumber(f[3] or 0) < beat then
  redis.call('HSET', KEYS[1], 'confirmed', ARGV[1], 'confirmed_at', ARGV[3])
end
return '1'
