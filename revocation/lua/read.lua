-- read.lua reads whole entries at one moment. It writes nothing.
--
-- KEYS  entries
-- returns {real time (µs), then for each entry its fields and values ({} when
--         there is none)}

local reply = {text(real_time())}
for i = 1, #KEYS do
  table.insert(reply, redis.call('HGETALL', KEYS[i]))
end
return reply
