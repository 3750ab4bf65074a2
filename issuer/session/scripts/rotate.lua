-- Spends a refresh token, or says what else it is (see doc.go, "Rotation").
-- KEYS[1]  the session's record
-- ARGV     1 generation, 2 jti, 3 subject ('' for any) of the token presented,
--          4 refresh jti, 5 access jti of the successor,
--          6 access life, 7 refresh life, 8 longest life, 9 leeway (all s),
--          10 grace, 11 cap while undelivered (ms),
--          12 '1' to rotate, '0' for a new access token alone,
--          13 reason, 14 actor of the end if this is reuse,
--          15 address, 16 agent of who presents it, 17 spent tokens to remember
-- Returns  {'rotated' | 'replay', now, gen, sub, rj, ri, rx, aj, ai, ax, ends}
--          or {'lost' | 'ending' | 'ended' | 'expired' | 'reuse'}; at 'reuse' the
--          record was marked ending
local r = read(KEYS[1])
if not r or (ARGV[3] ~= '' and ARGV[3] ~= r.sub) then
  return {'lost'}
end
if r.state then
  return {r.state}
end
local now, ms = clock()
local last = tonumber(r.created) + tonumber(ARGV[8])
if now >= last then
  return {'expired'}
end

local function pair(outcome)
  return {outcome, whole(now), r.gen, r.sub, r.rj, r.ri, r.rx, r.aj, r.ai, r.ax, r.ends}
end

local at = place(r, tonumber(ARGV[1]), ARGV[2], ms, tonumber(ARGV[10]), tonumber(ARGV[11]))
if at == 'lost' then
  return {'lost'}
elseif at == 'previous' then
  return pair('replay')
elseif at == 'spent' then
  redis.call('HSET', KEYS[1], 'state', 'ending', 'why', ARGV[13], 'who', ARGV[14], 'over', whole(now))
  return {'reuse'}
end
if now >= tonumber(r.rx) + tonumber(ARGV[9]) then
  return {'expired'}
end

local new = {used = whole(now), aj = ARGV[5], ai = whole(now), ax = whole(math.min(now + tonumber(ARGV[6]), last))}
if ARGV[12] == '1' then
  new.prj, new.pri, new.prx, new.paj, new.pai, new.pax = r.rj, r.ri, r.rx, r.aj, r.ai, r.ax
  new.rj, new.ri, new.rx = ARGV[4], whole(now), whole(math.min(now + tonumber(ARGV[7]), last))
  new.gen, new.at, new.told = whole(tonumber(r.gen) + 1), whole(ms), '0'
  -- '=' is as at the log-in: most records then need no room for it.
  local function same(given, first)
    return given == first and '=' or '~' .. given
  end
  local from = r.from or '1\31=\31='
  -- One field for each of the last, the oldest is written over: all stay short.
  new['l' .. whole(tonumber(r.gen) % tonumber(ARGV[17]))] = table.concat({r.rj, r.ri, from}, '\31')
  new.from = table.concat({new.gen, same(ARGV[15], r.addr), same(ARGV[16], r.agent)}, '\31')
end
new.ends = whole(math.max(tonumber(r.ends), tonumber(new.ax), tonumber(new.rx or 0)))
local set = {}
for field, value in pairs(new) do
  r[field] = value
  set[#set + 1] = field
  set[#set + 1] = value
end
redis.call('HSET', KEYS[1], unpack(set))
redis.call('EXPIRE', KEYS[1], whole(tonumber(r.ends) - now + tonumber(ARGV[9])))
return pair('rotated')
