-- Notes that the answer to a rotation was written to the client.
-- KEYS[1]  the session's record
-- ARGV[1]  generation of the pair that was delivered
-- Returns  1, or 0 when the record is gone or at another generation
if redis.call('HGET', KEYS[1], 'gen') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'told', '1')
return 1
