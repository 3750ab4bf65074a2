-- Gives a name back, if it still points where the caller thinks.
-- KEYS[1]  the name
-- ARGV[1]  claim of the owner that it may be taken from, whatever the stamp
-- ARGV[2]  that owner's id
-- Returns  1 or 0
local held = redis.call('GET', KEYS[1])
local claim, id = ARGV[1], ':' .. ARGV[2]
if not held or held ~= claim .. id
  and not (string.sub(held, 1, #claim + 1) == claim .. '.' and string.sub(held, -#id) == id) then
  return 0
end
return redis.call('DEL', KEYS[1])
