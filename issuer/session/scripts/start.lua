-- Begins a session: writes its record with the first pair.
-- KEYS[1]  the session's record
-- ARGV     1 refresh jti, 2 access jti, 3 access life, 4 refresh life,
--          5 longest life, 6 leeway (all s), 7 sub, 8 name, 9 addr, 10 agent,
--          11 generation
-- Returns  {'started', now, gen, sub, rj, ri, rx, aj, ai, ax, ends}, or {'taken'}
if redis.call('EXISTS', KEYS[1]) == 1 then
  return {'taken'}
end
local now = clock()
local max = tonumber(ARGV[5])
local ax = now + math.min(tonumber(ARGV[3]), max)
local rx = now + math.min(tonumber(ARGV[4]), max)
local ends = math.max(ax, rx)
redis.call('HSET', KEYS[1],
  'sub', ARGV[7], 'name', ARGV[8], 'addr', ARGV[9], 'agent', ARGV[10],
  'created', whole(now), 'gen', ARGV[11], 'ends', whole(ends),
  'rj', ARGV[1], 'ri', whole(now), 'rx', whole(rx),
  'aj', ARGV[2], 'ai', whole(now), 'ax', whole(ax))
redis.call('EXPIRE', KEYS[1], whole(ends - now + tonumber(ARGV[6])))
return {'started', whole(now), ARGV[11], ARGV[7], ARGV[1], whole(now), whole(rx), ARGV[2], whole(now), whole(ax), whole(ends)}
