-- lose.lua begins an epoch after a loss, unless somebody has: the first of those who
-- notice does. Whatever the feed still holds stays in it. The new epoch is shut, but after
-- evictions, and its id ends with the name of the process that has to open it (see open.lua).
--
-- KEYS  1 epoch, 2 feed
-- ARGV  1 what the id of the epoch that may begin starts with
--       2 floor of store time (see epoch.lua)
--       3 id of the epoch that was found wanting ('' if there was none)
--       4 id of the epoch whose revocations are missing
--       5 further epochs that it came from
--       6 '<run id> <count>' when evictions are the reason, else ''
--       7 name of the process   8 µs for which it is taken to be putting back
--       9 longest access life (ms)
--       10 '1' when it was found wanting because it is shut: if it was opened meanwhile, all is well
-- returns the epoch's state (see mend.lua)

-- acknowledged: the epoch in which somebody was last told something that may be in what is left of the
-- store; '' if there is no such, '?' if nothing says which. One that is shut and was mended all the
-- same vouches for what came before it.
local function acknowledged(f, left)
  if f.shut and f.from and f.lost then
    return f.told or '?'
  end
  if f.id and (not f.shut or f.from) then
    return f.id
  end
  return left and '?' or ''
end

local f = fields(redis.call('HGETALL', KEYS[1]))
local cur, seen, lost = f.id or '', ARGV[3], ARGV[4]

-- Somebody else may have seen the same, and been faster.
local known = cur ~= seen or names(f.from, lost)
if ARGV[6] ~= '' and not known then
  local run, count = string.match(ARGV[6], '^(%S+) (%d+)$')
  local his, noted = string.match(f.evicted or '', '^(%S+) (%d+)$')
  known = his == run and tonumber(noted) >= tonumber(count)
end
if known or (ARGV[10] == '1' and not f.shut) then
  return state(KEYS[1])
end

local n, last = tonumber(f.n or 0), f.last or ''
local clock = math.max(tonumber(f.clock or 0), tonumber(ARGV[2]))
local trimmed, first, till = n, n + 1, n
local tail = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local r = tail and record(tail[2]) or {}
local at = tonumber(r.n or '')
if at then
  local head = record(redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1][2])
  trimmed = tonumber(head.n or r.n) - 1
  if redis.call('XLEN', KEYS[2]) == at - trimmed then -- else it has a hole somewhere
    first, till = trimmed + 1, at
  end
  if at >= n then
    n, last = at, r.nonce
  end
  clock = math.max(clock, tonumber(string.match(tail[1], '^%d+')))
end
local real = real_time()
local now = store_time(real, clock)
local need = lost
if f.lost then
  need = joined(lost, f.need or '')
else
  forget(KEYS[1], mended_fields(f))
end
redis.call('HDEL', KEYS[1], 'turn', 'shared')
local told = acknowledged(f, n > 0)
if told ~= '' and cur == lost then -- who followed it knows of what is left, too, if he knew all of it
  told = lost
end
redis.call('HSET', KEYS[1], 'id', ARGV[1] .. ARGV[7], 'born', text(now), 'complete_since', text(now),
  'n', text(n), 'last', last, 'clock', text(now), 'trimmed', text(trimmed),
  'lost', text(now), 'need', need, 'from', joined(told == '?' and cur or told, lost, cur, f.from or '', ARGV[5]), 'told', told,
  'mended', text(n), 'sound', text(first) .. ' ' .. text(till),
  'm:' .. ARGV[7], text(real + tonumber(ARGV[8])))
if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[1], 'evicted', ARGV[6])
end
-- A server that evicts goes on, and may do so all the time: it takes revocations meanwhile.
if ARGV[6] == '' or f.shut or cur == '' then
  redis.call('HSET', KEYS[1], 'shut', '1')
end
longest_access(KEYS[1], tonumber(ARGV[9]))
return state(KEYS[1])
