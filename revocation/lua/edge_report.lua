-- edge_report.lua enters an edge, or takes its report. Both are the same: a store
-- that has lost its edges learns of them by their next report.
--
-- What an edge has applied counts only if this store has that very record. A server
-- that came back with less, under the same epoch, gives the same sequence to others:
-- an edge that has not noticed yet must not be taken for one that has read those.
--
-- KEYS  1 epoch, 2 edges, 3 edge, 4 feed
-- ARGV  1 name   2 instance: random, one for each process
--       3 how long it is live from now on (µs)
--       4 how long it is shown after that (ms)
--       5 store time at which the process registered first ('': now)
--       6 id of the epoch   7 n   8 nonce and   9 stream id of record n
--       10… fields and values of the report
-- returns {store time of the first registration}; {} when another process that is
--         live has the name

-- applied: the n of the report, or 0 when its record n is not the one of this store.
local function applied()
  local f = redis.call('HMGET', KEYS[1], 'id', 'n', 'last')
  if f[1] ~= ARGV[6] then
    return ARGV[7] -- compared with nothing
  end
  if f[2] == ARGV[7] then
    return f[3] == ARGV[8] and ARGV[7] or '0'
  end
  if tonumber(ARGV[7]) > tonumber(f[2] or 0) then
    return '0'
  end
  local found = redis.call('XRANGE', KEYS[4], ARGV[9], ARGV[9])[1]
  local r = found and record(found[2]) or {}
  return r.n == ARGV[7] and r.nonce == ARGV[8] and r.n or '0'
end

local now = read_time(KEYS[1])
local holder = redis.call('HGET', KEYS[3], 'inst')
if holder ~= ARGV[2] then
  -- Of a hash that is gone (eviction) nobody knows whose it was: not of one who just begins.
  if (holder or ARGV[5] == '') and live_until(KEYS[2], ARGV[1]) > now then
    return {}
  end
  redis.call('DEL', KEYS[3]) -- what another life of the name has applied counts for nothing
end
local since = ARGV[5]
if since == '' then
  since = text(now)
end
local life = tonumber(ARGV[3])
local epoch = redis.call('HMGET', KEYS[1], 'id', 'edges')
if epoch[1] and not epoch[2] then
  redis.call('HSET', KEYS[1], 'edges', '0')
elseif epoch[1] and #redis.call('ZRANGE', KEYS[2], 0, 0) == 0 then
  redis.call('HSET', KEYS[1], 'edges', text(now))
end
redis.call('HSET', KEYS[3], 'inst', ARGV[2], 'since', since, 'heard', text(now), 'epoch', ARGV[6], 'n', applied(), unpack(ARGV, 10))
redis.call('PEXPIRE', KEYS[3], text(math.ceil(life / 1000) + tonumber(ARGV[4])))
redis.call('ZADD', KEYS[2], text(now + life), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. text(now - tonumber(ARGV[4]) * 1000))
redis.call('PERSIST', KEYS[2]) -- a Redis that evicts what has an end must not take the register: wait would miss edges
return {since}
