-- entry.lua: entries and their statements. After clock.lua.

-- ends: the real time (ms) at which a statement has passed. A life that was over
-- when the statement was made is given one second.
local function ends(s, leeway)
  if s.exp == 0 then
    return math.huge
  end
  return math.max(s.exp + leeway, math.ceil(s.at / 1000) + 1000)
end

-- load_entry: the entry at key as {field, list, passed}: its plain fields, its
-- statements oldest first, and the names of statements that have passed.
local function load_entry(key, real, leeway)
  local e = {field = {}, list = {}, passed = {}}
  for name, value in pairs(fields(redis.call('HGETALL', key))) do
    if string.sub(name, 1, 2) == 's:' then
      local s = cjson.decode(value)
      s.at, s.exp = tonumber(string.sub(name, 3)), tonumber(s.exp)
      if ends(s, leeway) * 1000 <= real then
        table.insert(e.passed, name)
      else
        table.insert(e.list, s)
      end
    else
      e.field[name] = value
    end
  end
  table.sort(e.list, function(a, b) return a.at < b.at end)
  return e
end

-- standing: the latest statement in force, or nil.
local function standing(e)
  for i = #e.list, 1, -1 do
    if e.list[i].u == '' then
      return e.list[i]
    end
  end
end

-- below: the store times of the statements in force under the latest, latest first and
-- joined by commas, at most 16; nil when there is none.
local function below(e)
  local top, out = standing(e), {}
  for i = #e.list, 1, -1 do
    if #out < 16 and e.list[i].u == '' and e.list[i] ~= top then
      table.insert(out, text(e.list[i].at))
    end
  end
  return #out > 0 and table.concat(out, ',') or nil
end

-- crowd: takes statements out of the list until no more than most are left, and
-- adds their names to passed. Undone ones go first, then the oldest in force:
-- what remains is later and still refuses all that those refused.
local function crowd(e, most)
  local function drop(undone)
    local i = 1
    while #e.list > most and i < #e.list do
      if (e.list[i].u ~= '') == undone then
        table.insert(e.passed, 's:' .. text(e.list[i].at))
        table.remove(e.list, i)
      else
        i = i + 1
      end
    end
  end
  drop(true)
  drop(false)
end

-- save_entry: writes the statement s and the cut that is now in force, and
-- removes what has passed.
local function save_entry(key, e, s)
  redis.call('HSET', key, 's:' .. text(s.at),
    cjson.encode({why = s.why, who = s.who, exp = text(s.exp), u = s.u}))
  local top = standing(e)
  if top then
    redis.call('HSET', key, 'cut', text(top.at))
  else
    redis.call('HDEL', key, 'cut')
  end
  if #e.passed > 0 then
    redis.call('HDEL', key, unpack(e.passed))
  end
end

-- end_second: the unix second by which a key with that PTTL is gone; '0' for a
-- key that stays (-1).
local function end_second(real, pttl)
  if pttl == -1 then
    return '0'
  end
  return text(math.ceil((math.floor(real / 1000) + pttl) / 1000))
end
