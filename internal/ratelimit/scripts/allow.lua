-- allow.lua counts one call by Redis's clock. The same as gcra.decide in Go.
--
-- KEYS  1 the key's tat (see names.go)
-- ARGV  1 interval (µs)  2 burst  3 '0' to look without counting
-- returns {1 if allowed else 0, µs until one is allowed, how many more are allowed
--         now, now (µs)}

local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local interval = tonumber(ARGV[1])
local most = now + interval * tonumber(ARGV[2])
local kept = tonumber(redis.call('GET', KEYS[1]) or now) or now

-- Redis writes numbers its own way (1.7e+15): texts are made here.
local function keep(tat)
  redis.call('SET', KEYS[1], string.format('%.0f', tat),
    'PX', string.format('%.0f', math.ceil((tat - now) / 1000)))
end

-- A tat beyond the burst was written under another rate, or before a failover to a
-- server whose clock is behind.
local next = math.min(math.max(kept, now), most) + interval
if next > most then
  if kept > most then
    keep(most)
  end
  return {0, next - most, 0, now}
end
if ARGV[3] ~= '0' then
  keep(next)
end
return {1, 0, math.floor((most - next) / interval), now}
