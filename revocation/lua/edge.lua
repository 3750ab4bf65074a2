-- edge.lua: the register of edges. After clock.lua.
--
-- The set of edges has each name with the store time until which the edge is live.
-- What an edge said last stands in a hash of its own. Nothing here begins an epoch: an edge
-- that comes back to an emptied store must not. Where there is one its field edges says
-- since when (store time) edges may be missing because the set got lost and is being filled
-- again, '0' for never. It is absent while nobody is registered.

-- read_time: the store time as readers see it. It is not taken: the next one that is
-- given out may be the same.
local function read_time(epoch)
  return math.max(real_time(), tonumber(redis.call('HGET', epoch, 'clock') or 0))
end

-- live_until: the store time until which that edge is live; 0 for none.
local function live_until(edges, name)
  return tonumber(redis.call('ZSCORE', edges, name) or 0)
end
