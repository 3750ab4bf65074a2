-- Gives a client a new secret, beside which the one before holds for a while. The
-- one before that ends at once.
-- KEYS[1]  the client's record
-- KEYS[2]  its old secret, in the same slot
-- ARGV     1 hash of the new secret, 2 overlap (ms; 0: none)
-- Returns  1, or 0 when there is no such client
local held = redis.call('HGET', KEYS[1], 'secret')
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local overlap = tonumber(ARGV[2])
redis.call('HSET', KEYS[1], 'secret', ARGV[1], 'rotated', string.format('%.0f', now))
redis.call('HDEL', KEYS[1], 'jwks')
if held and overlap > 0 then
  redis.call('SET', KEYS[2], held, 'PX', ARGV[2])
  redis.call('HSET', KEYS[1], 'old_until', string.format('%.0f', now + overlap))
else
  redis.call('DEL', KEYS[2])
  redis.call('HDEL', KEYS[1], 'old_until')
end
return 1
