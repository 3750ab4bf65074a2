-- Takes the place of an answer, unless somebody has it.
-- KEYS[1]  the answer
-- ARGV     1 what stands for a request that runs, 2 its life (ms)
-- Returns  nil when the place was free, else what is there
local held = redis.call('GET', KEYS[1])
if held then
  return held
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
