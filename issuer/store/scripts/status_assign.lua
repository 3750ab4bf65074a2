-- Gives a token its index in a status list, or finds the one that it has: the same
-- token always walks the same way (first, first + step, …), and nothing is ever
-- taken out of a list, so its own entry comes before the first free index.
--
-- KEYS  1 index (HASH), 2 order (LIST) of the list
-- ARGV  1 first index   2 step   3 size of the list   4 most tokens in it
--       5 entry: digests of token, session and subject, birth (56 bytes); with an actor
--         digests of his session and subject, and birth (40 more)
--       6 digest of the key that signs ('' if that is not known yet)
--       7 digest of a key that turned out not to sign ('' for none)
--       8 life of the token with its leeway (s)
--       9 length of the order that the caller has seen
-- returns {'at', index, length of the order}, {'full'} or {'torn'}

local index, order = KEYS[1], KEYS[2]
local size = tonumber(ARGV[3])

-- live: a list stays until the last of its tokens has expired.
local function live(key)
  if redis.call('TTL', key) < tonumber(ARGV[8]) then
    redis.call('EXPIRE', key, ARGV[8])
  end
end

-- whole: a number without the exponent or fraction that tostring may choose.
local function whole(n)
  return string.format('%.0f', n)
end

if redis.call('HEXISTS', index, 'torn') == 1 then
  return {'torn'}
end
if redis.call('LLEN', order) < tonumber(ARGV[9]) then
  redis.call('HSET', index, 'torn', '1')
  live(index)
  return {'torn'}
end

-- with_keys: the held entry with the digests of the keys that signed its token.
local function with_keys(held)
  local fixed = 56 + (#held - 56) % 16 / 8 * 40
  local out, there = string.sub(held, 1, fixed), ARGV[6] == ''
  for i = fixed + 1, #held, 16 do
    local key = string.sub(held, i, i + 15)
    there = there or key == ARGV[6]
    if key ~= ARGV[7] then
      out = out .. key
    end
  end
  if there then
    return out
  end
  return out .. ARGV[6]
end

local at, held = tonumber(ARGV[1]), nil
for _ = 1, size do
  held = redis.call('HGET', index, whole(at))
  if not held or string.sub(held, 1, 16) == string.sub(ARGV[5], 1, 16) then
    break
  end
  at = (at + tonumber(ARGV[2])) % size
end
if not held and redis.call('HLEN', index) >= tonumber(ARGV[4]) then
  return {'full'}
end
local entry = with_keys(held or ARGV[5])
if entry ~= held then
  redis.call('HSET', index, whole(at), entry)
  redis.call('RPUSH', order, whole(at))
  live(index)
  live(order)
end
return {'at', whole(at), whole(redis.call('LLEN', order))}
