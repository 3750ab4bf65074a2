-- Claims a name, or takes it over from the owner that the caller saw.
-- KEYS[1]  the name
-- ARGV[1]  what to write: "<claim>:<id>" or "<claim>.<stamp>:<id>"
-- ARGV[2]  the value that may be replaced; "" for none
-- Returns  "" when the name is the caller's now, else the value in the way
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[2] then
  return held
end
redis.call('SET', KEYS[1], ARGV[1])
return ''
