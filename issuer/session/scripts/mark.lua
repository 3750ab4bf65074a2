-- Marks a session as ending. One that is ending or ended already keeps its reason.
-- KEYS[1]  the session's record
-- ARGV     1 reason, 2 actor
-- Returns  {state before ('', 'ending', 'ended'), ends, sub, reason, actor}, or {} without a record
local held = redis.call('HMGET', KEYS[1], 'state', 'ends', 'sub', 'why', 'who')
if not held[2] then
  return {}
end
if held[1] then
  return {held[1], held[2], held[3], held[4] or '', held[5] or ''}
end
local t = redis.call('TIME')
redis.call('HSET', KEYS[1], 'state', 'ending', 'why', ARGV[1], 'who', ARGV[2], 'over', t[1])
return {'', held[2], held[3], ARGV[1], ARGV[2]}
