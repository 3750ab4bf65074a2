-- Revokes an admin token. Its record is kept for a while: whoever comes with the token
-- then is known to come with a revoked one.
-- KEYS[1]  the token's record
-- ARGV     1 who revokes it, 2 how long the record is kept (ms)
-- Returns  1, also when it was revoked before; 0 when there is no such token
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
if redis.call('HEXISTS', KEYS[1], 'revoked') == 1 then
  return 1
end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
redis.call('HSET', KEYS[1], 'revoked', string.format('%.0f', now), 'revoked_by', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
