-- Changes fields of a client's record; those not named stay.
-- KEYS[1]  the client's record
-- ARGV[1]  number of fields to remove
-- ARGV[2]… their names, then field and value of the others in pairs
-- Returns  1, or 0 when there is no such client
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local gone = tonumber(ARGV[1])
if #ARGV > gone + 1 then
  redis.call('HSET', KEYS[1], unpack(ARGV, gone + 2))
end
if gone > 0 then
  redis.call('HDEL', KEYS[1], unpack(ARGV, 2, gone + 1))
end
return 1
