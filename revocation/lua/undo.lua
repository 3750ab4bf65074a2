-- undo.lua takes one statement back. The entry keeps its TTL and says when it was
-- undone; the latest other statement in force, if any, takes over.
--
-- KEYS  1 epoch, 2 feed, 3 entry, 4… entries for trim (see feed.lua)
-- ARGV  1 id if a new epoch must begin   2 floor of store time (see epoch.lua)
--       3 nonce of the feed record       4 horizon of the feed (µs)
--       5 leeway (ms)                    6 store time (µs) of the statement
-- returns {store time of the statement, the entry's fields and values, digests for
--         trim, id of the epoch}; {} when there is no such statement or its life has
--         passed; {'shut'} when the epoch is (see epoch.lua)

local real = real_time()
local epoch = load_epoch(KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]))
if refused(KEYS[1], epoch, real) then
  return {'shut'}
end
local entry = load_entry(KEYS[3], real, tonumber(ARGV[5]))

local s
for _, one in ipairs(entry.list) do
  if text(one.at) == ARGV[6] then
    s = one
  end
end
if not s then
  return {}
end

local now = store_time(real, epoch.clock)
epoch.clock = now
local wanted = {}
if s.u == '' then -- else it was undone before, and stays undone as of then
  s.u = text(now)
  local top = standing(entry)
  save_entry(KEYS[3], entry, s)
  append(KEYS[2], epoch, ARGV[3], {
    d = string.sub(KEYS[3], -32), k = entry.field.k, cut = top and text(top.at) or '0',
    exp = end_second(real, redis.call('PTTL', KEYS[3])), at = text(now), u = text(now), b = below(entry),
  })
  redis.call('HSET', KEYS[3], 'n', text(epoch.n), 'at', text(now), 'u', text(now),
    'exp', end_second(real, redis.call('PTTL', KEYS[3])))
  wanted = trim(KEYS[2], epoch, ARGV[3], real,
    math.max(tonumber(ARGV[4]), (longest_access(KEYS[1], 0) + tonumber(ARGV[5])) * 1000), named_entries(4))
end
-- Also when nothing has changed: a WAIT counts the replicas that have the last write
-- of its connection, and so tells of all writes before only after a write.
save_epoch(KEYS[1], epoch, now, false)
return {ARGV[6], redis.call('HGETALL', KEYS[3]), wanted, epoch.id}
