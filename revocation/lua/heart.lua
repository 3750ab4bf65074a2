-- heart.lua writes the next beat, if the caller may: one process at a time does, by
-- a lease that each of its beats renews. It makes no epoch: a store without one has
-- nothing to vouch for.
--
-- KEYS  1 epoch
-- ARGV  1 name of the caller  2 its lease (ms); '0': give the lease up, no beat
-- returns {beat ('0': none was written), id of the epoch ('': there is none),
--         what is left of somebody else's lease (ms; '0': there is none),
--         real time (µs) of the beat}

local f = redis.call('HMGET', KEYS[1], 'id', 'heart', 'heart_until')
local real = real_time()
if not f[1] then
  return {'0', '', '0', '0'}
end
local left = math.ceil((tonumber(f[3] or 0) - real) / 1000)
if f[2] ~= ARGV[1] and left > 0 and left <= 60000 then -- a longer one is of a server with another clock
  return {'0', f[1], text(left), '0'}
end
if ARGV[2] == '0' then
  redis.call('HDEL', KEYS[1], 'heart', 'heart_until')
  return {'0', f[1], '0', '0'}
end
redis.call('HSET', KEYS[1], 'heart', ARGV[1], 'heart_until', text(real + tonumber(ARGV[2]) * 1000))
return {text(redis.call('HINCRBY', KEYS[1], 'beat', 1)), f[1], '0', text(real)}
