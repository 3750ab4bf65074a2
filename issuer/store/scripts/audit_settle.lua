-- Writes the outcome of an admin action, which is then no longer open.
-- KEYS[1]  stream of the admin actions
-- KEYS[2]  the actions without an outcome
-- ARGV     1 most lines, 2 id of the intent, then field and value in pairs
-- Returns  the line's id
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(ARGV, 3))
redis.call('ZREM', KEYS[2], ARGV[2])
return id
