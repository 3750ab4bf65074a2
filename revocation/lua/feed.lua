-- feed.lua: the feed, told of every change of an entry. After clock.lua and record.lua.

-- append: writes the record r = {d, k, cut, exp, at} at the epoch's clock, next
-- in sequence and chained to the one before it by that one's nonce. With r.w it says
-- that somebody waits until every edge has applied it. r.u, when there is one, is the time of the entry's latest undo;
-- r.b has the statements in force under cut (see below in entry.lua).
local function append(feed, epoch, nonce, r)
  epoch.n = epoch.n + 1
  redis.call('XADD', feed, text(epoch.clock) .. '-0', 'r', packed({
    n = text(epoch.n), nonce = nonce, prev = epoch.last,
    d = r.d, k = r.k, cut = r.cut, exp = r.exp, at = r.at, u = r.u, b = r.b, w = r.w and '1',
  }))
  epoch.last = nonce
end

-- trim: takes records older than horizon (microseconds) off the feed's beginning,
-- at most 32. One whose entry has ended, or that was told again since, just goes.
-- One that still holds is first written again at the end, at most 4 of them, so
-- that a process that reads the feed from its beginning always learns all that is
-- in force, and one that was overtaken by trim finds what it missed further on.
-- Nothing is taken out of the middle: there a gap in the chain means a loss.
--
-- A script may touch only keys that it was given, and whether a record still
-- holds stands in its entry. named maps digests to the entries that the caller
-- named; trim stops at a record that needs another, and returns the digests that
-- the next call should name.
--
-- A record whose entry is missing before its time (eviction) is written again
-- too: the feed then still knows what the entries have lost.
--
-- What is no record stays, and all behind it: whoever reads the feed from its
-- beginning must find it and say so, not miss what it may have told.
local function trim(feed, epoch, nonce, real, horizon, named)
  local old = redis.call('XRANGE', feed, '-', text(epoch.clock - horizon), 'COUNT', 32)
  local gone, wanted, carried, blocked = {}, {}, 0, false
  for _, item in ipairs(old) do
    local r = record(item[2])
    if not r.n then
      break
    end
    local key = named[r.d]
    local over = r.exp ~= '0' and tonumber(r.exp) * 1000000 <= real
    blocked = blocked or carried == 4 or not (over or key)
    if blocked then
      if not over then
        table.insert(wanted, r.d)
      end
    else
      local n = not over and redis.pcall('HGET', key, 'n') -- not call: the script has written
      if not over and (type(n) ~= 'string' or n == r.n) then
        carried, r.w = carried + 1, nil -- nobody waits for it any more
        epoch.clock = epoch.clock + 1
        append(feed, epoch, nonce .. '.' .. carried, r)
        if n == r.n then
          redis.call('HSET', key, 'n', text(epoch.n))
        end
      end
      epoch.trimmed = tonumber(r.n)
      table.insert(gone, item[1])
    end
  end
  if #gone > 0 then
    redis.call('XDEL', feed, unpack(gone))
  end
  return wanted
end

-- named_entries: the entries among KEYS from first on, by the digest that ends
-- their name.
local function named_entries(first)
  local named = {}
  for i = first, #KEYS do
    named[string.sub(KEYS[i], -32)] = KEYS[i]
  end
  return named
end
