-- check.lua reads all that speaks of one token, at one moment. It writes nothing.
--
-- KEYS  1 epoch, 2… entries
-- ARGV  1 whatever the caller wants to see again: a reply that is not the
--         caller's own is noticed by it
-- returns {epoch id ('' when there is none), born, complete_since, n, store time,
--         ARGV[1], then for each entry its kind ('' when there is none) and its
--         cut ('0' when nothing is in force)}

local f = redis.call('HMGET', KEYS[1], 'id', 'born', 'complete_since', 'n', 'clock')
local now = math.max(real_time(), tonumber(f[5] or 0))
local reply = {f[1] or '', f[2] or '0', f[3] or '0', f[4] or '0', text(now), ARGV[1]}
for i = 2, #KEYS do
  local e = redis.call('HMGET', KEYS[i], 'k', 'cut')
  table.insert(reply, e[1] or '')
  table.insert(reply, e[2] or '0')
end
return reply
