-- edge_leave.lua takes an edge out of the register, unless another process has the
-- name by now.
--
-- KEYS  1 edges, 2 edge, 3 epoch
-- ARGV  1 name, 2 instance
-- returns {'1'} when it was taken out, {'0'} when it was not there

if redis.call('HGET', KEYS[2], 'inst') ~= ARGV[2] then
  return {'0'}
end
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[1], ARGV[1])
if #redis.call('ZRANGE', KEYS[1], 0, 0) == 0 then -- not lost, but empty
  redis.call('HDEL', KEYS[3], 'edges')
end
return {'1'}
