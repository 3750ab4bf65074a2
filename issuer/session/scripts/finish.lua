-- Notes that the revocation of an ending session is in force.
-- KEYS[1]  the session's record
-- Returns  1, or 0 without a record
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'state', 'ended')
return 1
