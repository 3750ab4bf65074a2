-- epoch.lua: the store's epoch, for scripts that write. After clock.lua and record.lua.

-- load_epoch: the epoch at key as {id, n, last, clock, trimmed}. A store that has
-- none gets one with the id fresh; begun is then true, and nothing is written
-- before save_epoch. If the feed outlived the epoch (eviction, a deleted key) its
-- numbers and times go on from the last record: sequence and stream ids only rise.
-- floor is a store time that the caller has seen: a server that lost its clock, and
-- whose time of day is behind, does not go back before it. shut says that the epoch
-- takes no revocations yet (see open.lua): what is begun after something was lost is.
local function load_epoch(key, feed, fresh, floor)
  local f = redis.call('HMGET', key, 'id', 'n', 'last', 'clock', 'trimmed', 'shut')
  local e = {
    id = f[1], n = tonumber(f[2] or 0), last = f[3] or '',
    clock = math.max(tonumber(f[4] or 0), floor), trimmed = tonumber(f[5] or 0), begun = false, shut = f[6] and true or false,
  }
  if e.id then
    return e
  end
  e.id, e.begun, e.first, e.shut = fresh, true, true, true
  local tail = redis.call('XREVRANGE', feed, '+', '-', 'COUNT', 1)[1]
  if tail then
    local r = record(tail[2])
    if not r.n then
      error('the feed ends with ' .. tail[1] .. ', which is no record of this version: run the version that wrote it')
    end
    e.n = math.max(e.n, tonumber(r.n))
    e.last = r.nonce
    e.clock = math.max(e.clock, tonumber(string.match(tail[1], '^%d+')))
    e.first = false
  end
  return e
end

-- longest_access: the longest life (ms) of an access token that any process of this
-- store has named. A process that allows a longer one raises it; it is not lowered,
-- since tokens of the longer life may still be about.
local function longest_access(key, mine)
  local known = tonumber(redis.call('HGET', key, 'access_life') or 0)
  if mine > known then
    redis.call('HSET', key, 'access_life', text(mine))
    return mine
  end
  return known
end

-- save_epoch: writes what load_epoch returned, after the script moved it on. A
-- begun epoch vouches for tokens from now on, and is shut; for every token, and open, if
-- vouch is true and the store shows no sign of an earlier life.
local function save_epoch(key, e, now, vouch)
  redis.call('HSET', key, 'n', text(e.n), 'last', e.last,
    'clock', text(e.clock), 'trimmed', text(e.trimmed))
  if e.begun then
    local since = now
    if vouch and e.first then
      since = 0
    else
      redis.call('HSET', key, 'shut', '1')
    end
    redis.call('HSET', key, 'id', e.id, 'born', text(now), 'complete_since', text(since))
  end
end

-- refused: whether the epoch is shut. A script that was to acknowledge something then
-- returns {'shut'}, and has done nothing but to begin an epoch where there was none: those
-- who follow another one notice it by that.
local function refused(key, e, real)
  if e.begun then
    e.clock = store_time(real, e.clock)
    save_epoch(key, e, e.clock, false)
  end
  return e.shut
end
