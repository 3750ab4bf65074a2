-- Enters a session among those to be ended, for the sweep.
-- KEYS[1]  the ending set
-- ARGV     1 sid, 2 life of the set (s)
-- Returns  1
local t = redis.call('TIME')
redis.call('ZADD', KEYS[1], t[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
