-- Mints a further token of a session of one token (see solo.go).
-- KEYS[1]  the session's record
-- ARGV     1 subject ('' for any) of the token presented, 2 jti of the new one,
--          3 its life, 4 longest life, 5 leeway (all s)
-- Returns  {'rotated', now, gen, sub, rj, ri, rx, aj, ai, ax, ends}
--          or {'lost' | 'ending' | 'ended' | 'expired'}
local r = read(KEYS[1])
if not r or not r.renews or (ARGV[1] ~= '' and ARGV[1] ~= r.sub) then
  return {'lost'}
end
if r.state then
  return {r.state}
end
local at = clock()
local last = tonumber(r.created) + tonumber(ARGV[4])
if at >= last then
  return {'expired'}
end
local now, over = whole(at), whole(math.min(at + tonumber(ARGV[3]), last))
-- rx is as late as any token of the session: so long its first jti can be looked up.
local ends = whole(math.max(tonumber(r.ends), tonumber(over)))
redis.call('HSET', KEYS[1], 'used', now, 'aj', ARGV[2], 'ai', now, 'ax', over, 'rx', ends, 'ends', ends)
redis.call('EXPIRE', KEYS[1], whole(tonumber(ends) - at + tonumber(ARGV[5])))
return {'rotated', now, r.gen, r.sub, r.rj, r.ri, ends, ARGV[2], now, over, ends}
