-- Puts an answer in the place that its request took, or gives the place back. A
-- request that took too long may have lost it to another.
-- KEYS[1]  the answer
-- ARGV     1 what stands for the request, 2 its answer ('': none), 3 life of that (ms)
-- Returns  1, or 0 when the place is somebody else's
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1
