-- Removes a record, if it is still the one that was meant.
-- KEYS[1]  the user's record
-- ARGV[1]  claim
-- Returns  1, or 0 when it was another's or gone
if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
