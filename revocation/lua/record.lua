-- record.lua: how a record of the feed is written. After clock.lua.
--
-- A record is one field, r, of words: n nonce prev d k cut exp at, and after them
-- u=<µs>, b=<µs>,<µs> and w=1 where there is something to say. A prev that is empty is a dash. One
-- field, because whoever loads a million records pays for each field that it reads.
-- Further words have names, so that a version can add one that others pass over.

local words = {'n', 'nonce', 'prev', 'd', 'k', 'cut', 'exp', 'at'}

-- packed: the value of the field r for the record r.
local function packed(r)
  local out = {}
  for i, name in ipairs(words) do
    out[i] = r[name] == '' and '-' or r[name]
  end
  if r.u then
    table.insert(out, 'u=' .. r.u)
  end
  if r.b then
    table.insert(out, 'b=' .. r.b)
  end
  if r.w then
    table.insert(out, 'w=' .. r.w)
  end
  return table.concat(out, ' ')
end

-- plain_record: packed, for a record at whose time the cut-off was made, with nothing more
-- to say. All are texts.
local function plain_record(n, nonce, prev, d, k, cut, exp)
  return n .. ' ' .. nonce .. ' ' .. (prev == '' and '-' or prev) .. ' ' .. d .. ' ' .. k .. ' ' .. cut .. ' ' .. exp .. ' ' .. cut
end

-- record: the record of a stream item's fields and values. What is none, or none that
-- this version writes, has no n.
local function record(flat)
  local r, i = {}, 0
  if #flat ~= 2 or flat[1] ~= 'r' then
    return r
  end
  for word in string.gmatch(flat[2], '%S+') do
    i = i + 1
    if words[i] then
      r[words[i]] = word
    else
      local name, value = string.match(word, '^(%l+)=(.+)$')
      if name then
        r[name] = value
      end
    end
  end
  if i < #words or not tonumber(r.n) or not tonumber(r.exp) then
    return {}
  end
  if r.prev == '-' then
    r.prev = ''
  end
  return r
end
