-- Raises the counter of integer ids to an id that was chosen by hand.
-- KEYS[1]  the counter
-- ARGV[1]  the id, at most 15 digits (a Lua number holds those exactly)
-- Returns  1 when raised, else 0
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
if last >= tonumber(ARGV[1]) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
