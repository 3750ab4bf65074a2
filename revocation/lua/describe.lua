-- describe.lua gives entries that were put back their words again: issuer, id and
-- subject, and of a statement its time, reason and actor. What is in force stays as it
-- is, and so nobody is told. After clock.lua.
--
-- KEYS  entries
-- ARGV  1 reason of statements that were put back without words
--       then for each entry: kind, '1' for a kind whose time is lost when it is put
--       back, store time of the statement in force (0: all undone), issuer, id,
--       subject, reason, actor
-- returns how many entries were changed

-- word: writes a field that is empty or missing.
local function word(key, name, was, value)
  if value == '' or (was or '') ~= '' then
    return false
  end
  redis.call('HSET', key, name, value)
  return true
end

-- statement: writes the words of the statement made at cut, if it stands there as one
-- that was put back at that time, or at none (1).
local function statement(key, cut, was, timeless, why, who)
  local at = cut
  if timeless and not redis.call('HGET', key, 's:' .. cut) then
    at = '1'
  end
  local value = redis.call('HGET', key, 's:' .. at)
  local s = value and cjson.decode(value)
  if not s or s.why ~= ARGV[1] or s.who ~= '' or (at == cut and why == s.why) then
    return false
  end
  s.why, s.who = why, who
  redis.call('HDEL', key, 's:' .. at)
  redis.call('HSET', key, 's:' .. cut, cjson.encode(s))
  if was == at then
    redis.call('HSET', key, 'cut', cut)
  end
  return true
end

local count = 0
for i, key in ipairs(KEYS) do
  local a = 2 + (i - 1) * 8
  local f = redis.call('HMGET', key, 'k', 'cut', 'iss', 'id', 'sub')
  if f[1] == ARGV[a] then
    local changed = false
    for j, name in ipairs({'iss', 'id', 'sub'}) do
      changed = word(key, name, f[j + 2], ARGV[a + 2 + j]) or changed
    end
    if ARGV[a + 2] ~= '0' then
      changed = statement(key, ARGV[a + 2], f[2], ARGV[a + 1] == '1', ARGV[a + 6], ARGV[a + 7]) or changed
    end
    if changed then
      count = count + 1
    end
  end
end
return text(count)
