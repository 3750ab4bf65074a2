-- merge.lua puts back what a process holds, where Redis knows less. What it knows
-- better stays: a later undo, a later revocation, a longer life. At a tie, revoked.
--
-- KEYS  1 epoch, 2 feed, 3… entries
-- ARGV  1 id of the epoch: of another one nothing is put back
--       2 floor of store time (see epoch.lua)   3 nonce of the feed records
--       4 leeway (ms)   5 greatest number of statements of an entry
--       6 name of the process   7 µs for which it is taken to be still at it
--       8 reason that a list shows   9 '1': asks for the turn (see mend.lua)
--       10 how many entries, the first ones, are plain: in force, and with neither at nor u
--       nor b
--       then for each entry: kind, cut (0: all undone), exp (unix second; 0: never), and if
--       it is not plain at (when that was so; 0: not known), u (latest undo; 0: none),
--       b (of a cut-off: further statements in force, under cut, joined by commas)
-- returns the epoch's state (see mend.lua), how many entries were put back, and '1'
-- when it is another process's turn

local real = real_time()
local leeway, most = tonumber(ARGV[4]), tonumber(ARGV[5])
local f = fields(redis.call('HGETALL', KEYS[1]))
if (f.id or '') ~= ARGV[1] then
  local s = state(KEYS[1])
  table.insert(s, '0')
  table.insert(s, '0')
  return s
end
local epoch = {id = f.id, n = tonumber(f.n or 0), last = f.last or '', trimmed = tonumber(f.trimmed or 0),
  clock = math.max(tonumber(f.clock or 0), tonumber(ARGV[2]))}
local mended = tonumber(f.mended or 0)
local first, till = string.match(f.sound or '', '^(%d+) (%d+)$')

-- in_feed: whether the feed tells of the entry whose latest record was n. Without it,
-- whoever reads the feed from its beginning would not hear of an entry that is here.
local function in_feed(n)
  return n > mended or (first and n >= tonumber(first) and n <= tonumber(till))
end

-- restored: the statement made at that time as it is put back.
local function restored(at, held)
  local s = {at = at, exp = 0, why = ARGV[8], who = '', u = ''}
  if held.exp ~= 0 then
    s.exp = held.exp * 1000 - leeway
  end
  return s
end

-- lacks: whether nothing is there of a statement made at that time, in force or not.
local function lacks(e, at)
  for _, s in ipairs(e.list) do
    if s.at == at then
      return false
    end
  end
  for _, name in ipairs(e.passed) do
    if name == 's:' .. text(at) then
      return false
    end
  end
  return true
end

-- put_below: puts back the cut-offs under the one that is in force: when that is undone,
-- they are. It returns those that were missing.
local function put_below(e, held, cut, undone)
  local put = {}
  for at in string.gmatch(held.below .. ',' .. text(held.cut), '%d+') do
    at = tonumber(at)
    if at > 0 and at < cut and math.max(held.at, at) >= undone and lacks(e, at) then
      table.insert(put, restored(at, held))
    end
  end
  for _, s in ipairs(put) do
    table.insert(e.list, s)
  end
  table.sort(e.list, function(a, b) return a.at < b.at end)
  crowd(e, most)
  return put
end

-- put_back: what is held against what is there. It returns whether the entry changed.
local function put_back(key, e, held)
  local top = standing(e)
  local cut, undone = top and top.at or 0, tonumber(e.field.u or 0)
  local date = held.at > 0 and held.at or held.cut
  local changed = e.field.k == nil or not in_feed(tonumber(e.field.n or 0))
  local told = math.max(tonumber(e.field.at or 0), 0)
  local touched = {}
  if held.cut > cut and date >= undone then
    local s = restored(held.cut, held)
    for i, one in ipairs(e.list) do
      if one.at == s.at then
        table.remove(e.list, i)
        break
      end
    end
    table.insert(e.list, s)
    table.sort(e.list, function(a, b) return a.at < b.at end)
    crowd(e, most)
    touched, told, changed = {s}, math.max(told, date), true
  elseif cut > held.cut and held.undone > cut then
    for _, s in ipairs(e.list) do
      if s.u == '' and s.at > held.cut and s.at < held.undone then
        s.u = text(held.undone)
        table.insert(touched, s)
      end
    end
    told, changed = math.max(told, held.undone), true
  end
  if held.k == 'subject' or held.k == 'all' then
    for _, s in ipairs(put_below(e, held, math.max(cut, touched[1] and held.cut or 0), undone)) do
      table.insert(touched, s)
      changed = true
    end
  end
  redis.call('HSETNX', key, 'k', held.k)
  for _, name in ipairs({'iss', 'id', 'sub'}) do
    redis.call('HSETNX', key, name, '')
  end
  for _, s in ipairs(touched) do
    save_entry(key, e, s)
  end
  if held.undone > undone then
    redis.call('HSET', key, 'u', text(held.undone))
    told = math.max(told, held.undone)
  end
  return changed, told
end

-- live_longer: moves the entry's end out to that of what is held. had is its PTTL
-- before. It returns whether that changed the second in which it ends.
local function live_longer(key, had, held)
  if held.exp == 0 then
    redis.call('PERSIST', key)
    return had ~= -1
  end
  local left = held.exp * 1000 - math.floor(real / 1000)
  if had ~= -1 and (had == -2 or held.exp > tonumber(end_second(real, had))) then
    redis.call('PEXPIRE', key, text(math.max(left, 1)))
    return true
  end
  return false
end

-- hold: puts back what is held in the entry at key, of which something is there or more
-- is to be written than fill does. had is its PTTL before. It returns whether the entry
-- changed, and tells the feed if so.
local function hold(key, had, held, nonce)
  local e = load_entry(key, real, leeway)
  local changed, told = put_back(key, e, held)
  if not (live_longer(key, had, held) or changed) then
    return false
  end
  local top = standing(e)
  local u = redis.call('HGET', key, 'u')
  epoch.clock = store_time(real, epoch.clock)
  local r = {
    d = string.sub(key, -32), k = e.field.k or held.k, cut = top and text(top.at) or '0',
    exp = end_second(real, redis.call('PTTL', key)), at = text(told), u = u or nil, b = below(e),
  }
  append(KEYS[2], epoch, nonce, r)
  redis.call('HSET', key, 'n', text(epoch.n), 'at', r.at, 'exp', r.exp)
  return true
end

local fill = filler(KEYS[2], epoch, real, leeway, ARGV[8])
local plain, count, a = tonumber(ARGV[10]), 0, 11
local keys, argv, call = KEYS, ARGV, redis.call
local stem = ARGV[3] .. '.'
for i = 3, #keys do
  local key, exp = keys[i], tonumber(argv[a + 2])
  local first = i - 2 <= plain
  if exp == 0 or exp * 1000000 > real then
    local nonce = stem .. (count + 1)
    local had = call('PTTL', key)
    if first and had == -2 then
      fill(key, argv[a], argv[a + 1], argv[a + 2], exp, nonce)
      count = count + 1
    else
      local held = {k = argv[a], cut = tonumber(argv[a + 1]), exp = exp, at = 0, undone = 0, below = ''}
      if not first then
        held.at, held.undone, held.below = tonumber(argv[a + 3]), tonumber(argv[a + 4]), argv[a + 5]
      end
      if hold(key, had, held, nonce) then
        count = count + 1
      end
    end
  end
  a = a + (first and 3 or 6)
end
redis.call('HSET', KEYS[1], 'n', text(epoch.n), 'last', epoch.last, 'clock', text(epoch.clock))
local busy = '0'
if f.lost then
  local till = text(real + tonumber(ARGV[7]))
  local whose, left = turn(f, real)
  redis.call('HSET', KEYS[1], 'm:' .. ARGV[6], till)
  if left and whose ~= ARGV[6] then
    busy = '1'
  elseif ARGV[9] == '1' or whose == ARGV[6] then
    redis.call('HSET', KEYS[1], 'turn', ARGV[6] .. ' ' .. till)
  end
end
local s = state(KEYS[1])
table.insert(s, text(count))
table.insert(s, busy)
return s
