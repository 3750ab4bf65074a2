-- edge_list.lua reads the register at one moment. It writes nothing.
--
-- KEYS  1 epoch, 2 edges, 3… the hashes of edges whose names the caller knows
-- returns {store time, epoch id ('' when there is none), n, {name, live until, …} of
--         the whole set, then for each edge of KEYS its fields and values}

local f = redis.call('HMGET', KEYS[1], 'id', 'n')
local names = {}
for i, v in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')) do
  names[i] = i % 2 == 1 and v or text(tonumber(v))
end
local reply = {text(read_time(KEYS[1])), f[1] or '', f[2] or '0', names}
for i = 3, #KEYS do
  table.insert(reply, redis.call('HGETALL', KEYS[i]))
end
return reply
