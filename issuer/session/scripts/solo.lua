-- Begins a session of one token (see solo.go).
-- KEYS[1]  the session's record
-- ARGV     1 jti, 2 life, 3 longest life, 4 leeway (all s), 5 sub, 6 name, 7 addr,
--          8 agent, 9 '1' when it can be renewed, 10 actor, 11 the actor's sid ('': none),
--          12 moment that it may not outlive ('': none)
-- Returns  {'started', now, gen, sub, rj, ri, rx, aj, ai, ax, ends}
--          or {'taken' | 'expired'}
if redis.call('EXISTS', KEYS[1]) == 1 then
  return {'taken'}
end
local at = clock()
local last = math.min(at + math.min(tonumber(ARGV[2]), tonumber(ARGV[3])), tonumber(ARGV[12]) or math.huge)
if last <= at then
  return {'expired'}
end
local now, over = whole(at), whole(last)
redis.call('HSET', KEYS[1],
  'sub', ARGV[5], 'name', ARGV[6], 'addr', ARGV[7], 'agent', ARGV[8],
  'created', now, 'gen', '0', 'ends', over,
  'rj', ARGV[1], 'ri', now, 'rx', over, 'aj', ARGV[1], 'ai', now, 'ax', over)
if ARGV[9] ~= '' then
  redis.call('HSET', KEYS[1], 'renews', '1')
end
if ARGV[10] ~= '' then
  redis.call('HSET', KEYS[1], 'act', ARGV[10], 'act_sid', ARGV[11])
end
redis.call('EXPIRE', KEYS[1], whole(last - at + tonumber(ARGV[4])))
return {'started', now, '0', ARGV[5], ARGV[1], now, over, ARGV[1], now, over, over}
