-- Dates the last use of an admin token. One that is gone is not brought back.
-- KEYS[1]  the token's record
-- Returns  1, or 0 when there is no such token
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local t = redis.call('TIME')
redis.call('HSET', KEYS[1], 'used', string.format('%.0f', tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)))
return 1
