-- Gives a sliding token a new life (see sliding.go).
-- KEYS[1]  the session's record
-- ARGV     1 jti, 2 subject ('' for any) of the token presented,
--          3 its life, 4 longest life, 5 leeway (all s)
-- Returns  {'rotated', now, gen, sub, rj, ri, rx, aj, ai, ax, ends}
--          or {'lost' | 'ending' | 'ended' | 'expired'}
local r = read(KEYS[1])
if not r or r.gen ~= '0' or r.rj ~= ARGV[1] or (ARGV[2] ~= '' and ARGV[2] ~= r.sub) then
  return {'lost'}
end
if r.state then
  return {r.state}
end
local now = clock()
local last = tonumber(r.created) + tonumber(ARGV[4])
if now >= last or now >= tonumber(r.rx) + tonumber(ARGV[5]) then
  return {'expired'}
end
local ai, ax = whole(now), whole(math.min(now + tonumber(ARGV[3]), last))
local ends = whole(math.max(tonumber(r.ends), tonumber(ax)))
redis.call('HSET', KEYS[1], 'used', ai, 'ai', ai, 'ax', ax, 'ends', ends)
redis.call('EXPIRE', KEYS[1], whole(tonumber(ends) - now + tonumber(ARGV[5])))
return {'rotated', ai, r.gen, r.sub, r.rj, r.ri, r.rx, r.aj, ai, ax, ends}
