-- Reads an admin token's record beside the clock that it is judged by. Read only.
-- KEYS[1]  the token's record
-- Returns  now (unix ms), then field and value in pairs; now alone when there is none
local t = redis.call('TIME')
local out = redis.call('HGETALL', KEYS[1])
table.insert(out, 1, string.format('%.0f', tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)))
return out
