-- merged.lua says that a process has put back all that it holds, and of which lost
-- epochs that is everything; then, and whenever it is asked, settles (see mend.lua).
--
-- KEYS  1 epoch
-- ARGV  1 id of the epoch: of another one nothing is said
--       2 name of the process; '' only asks
--       3 window (µs)   4 how long ago the caller noticed the loss (µs)
--       5 longest life of an access token that the caller allows (ms): that was lost, too
--       then of each epoch that it knew to its end: 's:' when it had read it shortly before
--       the loss, else 'c:'; and id, born, complete_since
-- returns the epoch's state (see mend.lua)

local f = fields(redis.call('HGETALL', KEYS[1]))
if (f.id or '') ~= ARGV[1] then
  return state(KEYS[1])
end
longest_access(KEYS[1], tonumber(ARGV[5]))
if not f.lost then
  return state(KEYS[1])
end
if ARGV[2] ~= '' then
  redis.call('HDEL', KEYS[1], 'm:' .. ARGV[2], 'h:' .. ARGV[2])
  if turn(f, real_time()) == ARGV[2] then
    redis.call('HDEL', KEYS[1], 'turn')
  end
end
for i = 6, #ARGV, 4 do
  if names(f.need, ARGV[i + 1]) then
    for _, mark in ipairs({'c:', ARGV[i]}) do
      local name = mark .. ARGV[i + 1]
      local born, since = string.match(f[name] or '', '^(%d+) (%d+)$')
      born = math.min(tonumber(born or math.huge), tonumber(ARGV[i + 2]))
      since = math.min(tonumber(since or math.huge), tonumber(ARGV[i + 3]))
      redis.call('HSET', KEYS[1], name, text(born) .. ' ' .. text(since))
    end
  end
end
settle(KEYS[1], real_time(), tonumber(ARGV[3]), tonumber(ARGV[4]))
return state(KEYS[1])
