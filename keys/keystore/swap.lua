-- Writes a key ring if the stored one still has the version that was read.
--
-- KEYS[1]  <prefix>ring:<issuer>, HASH {version, ring}
-- ARGV[1]  version that was read, "0" when there was none
-- ARGV[2]  version to write
-- ARGV[3]  envelope to write
-- Returns  1 when it was written, 0 when another version is stored
--
-- Versions are compared as text: numbers of Lua are exact to 2^53 only.
local stored = redis.call('HGET', KEYS[1], 'version') or '0'
if stored ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'ring', ARGV[3])
return 1
