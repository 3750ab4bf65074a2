-- Put before every script that judges a session's record. No keys, no arguments.

-- clock returns Redis's time in whole seconds and in milliseconds.
local function clock()
  local t = redis.call('TIME')
  local s = tonumber(t[1])
  return s, s * 1000 + math.floor(tonumber(t[2]) / 1000)
end

-- whole writes a number without the exponent that tostring may choose.
local function whole(n)
  return string.format('%.0f', n)
end

-- read returns the record as a table, or nil.
local function read(key)
  local flat = redis.call('HGETALL', key)
  if #flat == 0 then
    return nil
  end
  local r = {}
  for i = 1, #flat, 2 do
    r[flat[i]] = flat[i + 1]
  end
  return r
end

-- place tells where a refresh token stands in its session's line:
-- 'current', 'previous' (its successor may be handed out again), 'spent' or 'lost'.
-- The pause since the rotation is taken without its sign: a clock that was set back
-- must not hold the door open.
local function place(r, gen, jti, ms, grace, cap)
  local held = tonumber(r.gen)
  if gen == held then
    return jti == r.rj and 'current' or 'lost'
  end
  if gen > held then
    return 'lost'
  end
  if gen == held - 1 and jti == r.prj then
    local pause = math.abs(ms - tonumber(r.at))
    if pause <= grace or (r.told ~= '1' and pause <= cap) then
      return 'previous'
    end
  end
  return 'spent'
end
