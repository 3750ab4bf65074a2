-- Confirms a claimed record: it loses its end of life, and the user exists.
-- KEYS[1]  the user's record
-- ARGV[1]  claim
-- Returns  1, or 0 when the claim is not there any more
if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[1] then
  return 0
end
redis.call('HDEL', KEYS[1], 'pending')
redis.call('PERSIST', KEYS[1])
return 1
