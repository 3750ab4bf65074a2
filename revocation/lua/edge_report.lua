-- edge_report.lua enters an edge, or takes its report. Both are the same: a store
-- that has lost its edges learns of them by their next report.
--
-- KEYS  1 epoch, 2 edges, 3 edge
-- ARGV  1 name   2 instance: random, one for each process
--       3 how long it is live from now on (µs)
--       4 how long it is shown after that (ms)   5 life of the set of edges (ms)
--       6 store time at which the process registered first ('': now)
--       7… fields and values of the report
-- returns {store time of the first registration}; {} when another process that is
--         live has the name

local now = read_time(KEYS[1])
local holder = redis.call('HGET', KEYS[3], 'inst')
if holder ~= ARGV[2] then
  if holder and live_until(KEYS[2], ARGV[1]) > now then
    return {}
  end
  redis.call('DEL', KEYS[3]) -- what another life of the name has applied counts for nothing
end
local since = ARGV[6]
if since == '' then
  since = text(now)
end
local life = tonumber(ARGV[3])
redis.call('HSET', KEYS[3], 'inst', ARGV[2], 'since', since, 'heard', text(now), unpack(ARGV, 7))
redis.call('PEXPIRE', KEYS[3], text(math.ceil(life / 1000) + tonumber(ARGV[4])))
redis.call('ZADD', KEYS[2], text(now + life), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. text(now - tonumber(ARGV[4]) * 1000))
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return {since}
