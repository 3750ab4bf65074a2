-- Creates an admin token's record, if there is none.
-- KEYS[1]  the token's record
-- ARGV     1 when it expires (unix ms; 0: never), 2 how long it is kept after that (ms),
--          then field and value in pairs
-- Returns  1; 0 when the id is taken; -1 when the expiry has passed
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local expires = tonumber(ARGV[1])
if expires > 0 and expires <= now then
  return -1
end
redis.call('HSET', KEYS[1], 'created', string.format('%.0f', now), 'expires', ARGV[1], unpack(ARGV, 3))
if expires > 0 then
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', expires + tonumber(ARGV[2])))
end
return 1
