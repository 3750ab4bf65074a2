-- fill.lua: how an entry is written of which nothing is there. After record.lua.

-- near: a function that is text() for whole numbers from 0 on, sooner done if they lie
-- close together: a large double is slow to write, and most of one is then as in the
-- one before.
local function near()
  local floor, format, head, had = math.floor, string.format, '', 0
  return function(x)
    local high = floor(x / 1000000)
    if high == 0 then
      return format('%d', x)
    end
    if high ~= had then
      head, had = text(high), high
    end
    return head .. format('%06d', x - high * 1000000)
  end
end

-- filler: a function that writes a plain entry (in force, without a date, an undo or
-- further statements) and its record, as put_back and append would. Most of what an
-- emptied store lacks is plain, and this takes a third of the commands. cut and exp
-- are texts; ends is exp as a number, and not over.
local function filler(feed, epoch, real, leeway, why)
  local call, sub = redis.call, string.sub
  local clock_text, n_text, till_text, life_text = near(), near(), near(), near()
  local now = math.floor(real / 1000)
  -- A statement as cjson writes it, around its end.
  local before, after = string.match(cjson.encode({why = why, who = '', exp = '@', u = ''}), '^(.*)@(.*)$')

  return function(key, k, cut, exp, ends, nonce)
    epoch.clock, epoch.n = store_time(real, epoch.clock), epoch.n + 1
    local n = n_text(epoch.n)
    local till = ends == 0 and '0' or till_text(ends * 1000 - leeway)
    call('XADD', feed, clock_text(epoch.clock) .. '-0', 'r', plain_record(n, nonce, epoch.last, sub(key, -32), k, cut, exp))
    epoch.last = nonce
    call('HSET', key, 'k', k, 'iss', '', 'id', '', 'sub', '', 'cut', cut, 's:' .. cut, before .. till .. after,
      'n', n, 'at', cut, 'exp', exp)
    if ends ~= 0 then
      call('PEXPIRE', key, life_text(ends * 1000 - now))
    end
  end
end
