-- mend.lua: what a loss leaves in the epoch until it is mended. After clock.lua.
--
-- Fields of the epoch beside those of epoch.lua:
--   from       epochs that this one came from by a loss, newest first, at most 16; first
--              of all told, if there was one, or the one that the store had if that is not known
--   told       the last epoch in which something was acknowledged that the store may still have
--              had when this one began; '' if there was none, '?' if that is not known
--   shut       there until the epoch takes revocations (see open.lua)
--   lost       when the loss was noticed; absent when none is being mended
--   need       epochs whose revocations were lost: of each, somebody who knew them all
--              must have put back what it holds
--   c:<id>     "<born> <complete_since>" that epoch <id> had for the best of those
--   s:<id>     the same of the best of those who had read that epoch to its end shortly before
--   h:<name>   a process that has yet to put back what perhaps nobody else has: a lease as of m:
--   shared     '1' when nobody has to any more: who knew all of the rest, shortly before, knows all
--   m:<name>   a process that is putting back, until this time of Redis's own clock unless it says so
--              again. Not store time: that stands still where a clock was ahead
--   turn       "<name> <until>" of the one process that puts back more than a little. The others
--              wait, and then need not put back what it has: otherwise each of many
--              would write all that an emptied store lacks
--   mended     sequence up to which the feed may have holes: what is missing was put back
--   sound      "<first> <last>": records of the feed that are surely there
--   evicted    "<run id> <count>" of evictions that were noticed

-- names: whether the list of names (separated by blanks) has one.
local function names(list, one)
  return one ~= '' and string.find(' ' .. (list or '') .. ' ', ' ' .. one .. ' ', 1, true) ~= nil
end

-- joined: the names of several lists, each once, at most 16.
local function joined(...)
  local out, count = '', 0
  for _, list in ipairs({...}) do
    for one in string.gmatch(list, '%S+') do
      if count < 16 and not names(out, one) then
        out, count = out == '' and one or out .. ' ' .. one, count + 1
      end
    end
  end
  return out
end

-- claimed: born and complete_since of the epochs in need, when somebody has put back
-- what each of them had; else nil. mark is c: or s:.
local function claimed(f, mark)
  local born, since = 0, 0
  for id in string.gmatch(f.need or '', '%S+') do
    local b, s = string.match(f[mark .. id] or '', '^(%d+) (%d+)$')
    if not b then
      return nil
    end
    born, since = math.max(born, tonumber(b)), math.max(since, tonumber(s))
  end
  return born, since
end

-- mended_fields: the fields that go when a loss is mended.
local function mended_fields(f)
  local gone = {'lost', 'need', 'turn', 'shared'}
  for name in pairs(f) do
    local mark = string.sub(name, 1, 2)
    if mark == 'm:' or mark == 'c:' or mark == 's:' or mark == 'h:' then
      table.insert(gone, name)
    end
  end
  return gone
end

-- lasts: whether a lease until then still runs. A longer one than a minute is of a
-- server with another clock.
local function lasts(till, real)
  local left = tonumber(till) - real
  return left > 0 and left <= 60000000
end

-- turn: the name of the process whose turn it was last, and whether it still is.
local function turn(f, real)
  local name, till = string.match(f.turn or '', '^(%S+) (%d+)$')
  return name, name ~= nil and lasts(till, real)
end

-- forget: takes these fields out of the epoch, a thousand at a time: each process that puts
-- back has one, and Lua unpacks no more than 8000.
local function forget(key, gone)
  for i = 1, #gone, 1000 do
    redis.call('HDEL', key, unpack(gone, i, math.min(i + 999, #gone)))
  end
end

-- busy: whether one of the processes with that mark is still at it.
local function busy(f, mark, real)
  for name, till in pairs(f) do
    if string.sub(name, 1, 2) == mark and lasts(till, real) then
      return true
    end
  end
  return false
end

-- settle: vouches again for all that was vouched for before the loss, when that was
-- put back, and whoever knows of more had window µs to notice: by store time, or because
-- the caller has waited for so long since it noticed itself. Store time alone would let
-- everybody wait for a clock that is behind to catch up.
--
-- Who knew all shortly before the loss (s:) needs from others only what is recent; for
-- one who had not heard for longer (c:) all of them must have put back everything.
local function settle(key, real, window, waited)
  local f = fields(redis.call('HGETALL', key))
  local now = math.max(real, tonumber(f.clock or 0))
  if not f.lost or (now < tonumber(f.lost) + window and waited < window) or busy(f, 'h:', real) then
    return
  end
  if not f.shared then
    redis.call('HSET', key, 'shared', '1')
  end
  local born, since = claimed(f, 's:')
  if not born and not busy(f, 'm:', real) then
    born, since = claimed(f, 'c:')
  end
  if born then
    redis.call('HSET', key, 'born', text(born), 'complete_since', text(since))
    forget(key, mended_fields(f))
  end
end

-- state: what mending scripts return of the epoch.
local function state(key)
  local f = redis.call('HMGET', key, 'id', 'from', 'need', 'born', 'complete_since', 'n', 'clock', 'lost', 'shut')
  return {f[1] or '', f[2] or '', f[3] or '', f[4] or '0', f[5] or '0', f[6] or '0', f[7] or '0', f[8] or '0', f[9] or ''}
end
