-- Creates a client's record, if there is none.
-- KEYS[1]  the client's record
-- ARGV     field and value, in pairs
-- Returns  1, or 0 when the id is taken
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
local t = redis.call('TIME')
redis.call('HSET', KEYS[1], 'created', t[1] .. string.format('%03d', math.floor(tonumber(t[2]) / 1000)), unpack(ARGV))
return 1
