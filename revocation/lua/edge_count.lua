-- edge_count.lua counts the live edges, and those of them that have applied a record
-- of the feed. It writes nothing.
--
-- An edge at another epoch has not applied it, whatever its n: each epoch counts for
-- itself. Nor has one whose hash is gone.
--
-- KEYS  1 epoch, 2 edges, 3… the hashes of edges whose names the caller knows
-- ARGV  1 n   2 id of the epoch that n belongs to   3… the names of KEYS 3…
-- returns {store time, epoch id ('' when there is none), born, complete_since, store time
--         at which the register was last found lost ('0': never), live, applied, then the names of live edges that the caller did not name, at most
--         4000 (Lua unpacks no more than 8000): while there are any, applied is too small}

local f = redis.call('HMGET', KEYS[1], 'id', 'born', 'complete_since', 'edges')
local now = read_time(KEYS[1])
if f[4] and #redis.call('ZRANGE', KEYS[2], 0, 0) == 0 then
  f[4] = text(now)
end
local known = {}
for i = 3, #KEYS do
  known[ARGV[i]] = KEYS[i]
end
local n, applied, unknown = tonumber(ARGV[1]), 0, {}
local live = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. text(now), '+inf')
for _, name in ipairs(live) do
  if known[name] then
    local e = redis.call('HMGET', known[name], 'epoch', 'n')
    if e[1] == ARGV[2] and tonumber(e[2] or 0) >= n then
      applied = applied + 1
    end
  elseif #unknown < 4000 then
    table.insert(unknown, name)
  end
end
return {text(now), f[1] or '', f[2] or '0', f[3] or '0', f[4] or '0', text(#live), text(applied), unpack(unknown)}
