-- clock.lua stands before every other script: numbers and time.
--
-- Lua's numbers are doubles: whole numbers are exact up to 2^53, which as
-- microseconds is the year 2255. Redis writes them its own way (1.7e+15), so a
-- number leaves a script only through text().

local function text(x)
  return string.format('%.0f', x)
end

-- real_time: Redis's own clock in microseconds. It may go backwards. Lives are
-- measured by it, because Redis expires keys by it.
local function real_time()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000000 + tonumber(t[2])
end

-- store_time: the next store time. It is the real time, but always later than
-- clock, the last store time given out.
local function store_time(real, clock)
  return math.max(real, clock + 1)
end

-- fields: the table of a flat list of names and values.
local function fields(flat)
  local f = {}
  for i = 1, #flat, 2 do
    f[flat[i]] = flat[i + 1]
  end
  return f
end
