-- Reads the entries of a status list that were written after a position. It writes
-- nothing.
--
-- KEYS  1 index (HASH), 2 order (LIST) of the list
-- ARGV  1 length of the order that the caller has read
--       2 the index that stood last in it ('' at the beginning)
--       3 most entries of one call
-- returns {'entries', length of the order, index, entry, index, entry, …}, {'none'}
--         or {'torn'}

local from = tonumber(ARGV[1])
local length = redis.call('LLEN', KEYS[2])
if redis.call('HEXISTS', KEYS[1], 'torn') == 1 or length < from then
  return {'torn'}
end
if length == 0 then
  return {'none'}
end
if from > 0 and redis.call('LINDEX', KEYS[2], from - 1) ~= ARGV[2] then
  return {'torn'}
end
local reply = {'entries', string.format('%.0f', length)}
for _, at in ipairs(redis.call('LRANGE', KEYS[2], from, from + tonumber(ARGV[3]) - 1)) do
  local entry = redis.call('HGET', KEYS[1], at)
  if not entry then
    return {'torn'}
  end
  reply[#reply + 1] = at
  reply[#reply + 1] = entry
end
return reply
