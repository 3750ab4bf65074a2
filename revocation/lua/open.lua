-- open.lua lets an epoch take revocations. After mend.lua.
--
-- An epoch that began after a loss is shut: nothing is acknowledged in it before the process
-- that began it has read it to its end. So that process can say, when the epoch is lost
-- in turn, that either nobody was told anything in it, or that it knew what. Others cannot
-- know whether somebody was told something by a server that is gone: one that waits in vain
-- begins another epoch, which is its own to open.
--
-- KEYS  1 epoch
-- ARGV  1 id of the epoch: another one stays as it is
-- returns the epoch's state (see mend.lua)

if redis.call('HGET', KEYS[1], 'id') == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'shut')
end
return state(KEYS[1])
