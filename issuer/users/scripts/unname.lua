-- Gives a name back, if it still points where the caller thinks.
-- KEYS[1]  the name
-- ARGV[1]  the value that may be removed
-- Returns  1 or 0
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
