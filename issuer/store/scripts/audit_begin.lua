-- Writes the intent of an admin action, and notes that its outcome is not known yet.
-- KEYS[1]  stream of the admin actions
-- KEYS[2]  the actions without an outcome
-- ARGV     1 most lines, 2 longest age (ms), then field and value in pairs
-- Returns  the line's id
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local oldest = string.format('%.0f', math.max(0, now - tonumber(ARGV[2])))
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(ARGV, 3))
redis.call('XTRIM', KEYS[1], 'MINID', '~', oldest)
redis.call('ZADD', KEYS[2], string.format('%.0f', now), id)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. oldest)
return id
