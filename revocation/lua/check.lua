-- check.lua reads all that speaks of one token, at one moment. It writes nothing.
--
-- KEYS  1 epoch, 2… entries
-- ARGV  1 whatever the caller wants to see again: a reply that is not the
--         caller's own is noticed by it
-- returns {epoch id ('' when there is none), born, complete_since, n, store time,
--         ARGV[1], age of the heartbeat that replicas have confirmed last (µs; ''
--         when none has been), then for each entry its kind ('' when there is none) and its
--         cut ('0' when nothing is in force)}

local f = redis.call('HMGET', KEYS[1], 'id', 'born', 'complete_since', 'n', 'clock', 'confirmed_at')
local real = real_time()
local now = math.max(real, tonumber(f[5] or 0))
local age = f[6] and text(math.max(0, real - tonumber(f[6]))) or ''
local none = f[1] and '' or '0' -- an epoch that lacks one of these is damaged: no number, and so no verdict
local reply = {f[1] or '', f[2] or none, f[3] or none, f[4] or none, text(now), ARGV[1], age}
for i = 2, #KEYS do
  local e = redis.call('HMGET', KEYS[i], 'k', 'cut')
  table.insert(reply, e[1] or '')
  table.insert(reply, e[2] or '0')
end
return reply
