-- Changes fields of a confirmed record.
-- KEYS[1]  the user's record
-- ARGV[1]  claim
-- ARGV[2]  a field that gets the store time in µs, or ""
-- ARGV[3]  the password hash that must stand there, or "" for any
-- ARGV[4]… field and value, in pairs
-- Returns  1, or 0 when the record is another's, unconfirmed, gone or has another hash
local held = redis.call('HMGET', KEYS[1], 'claim', 'pending', 'password')
if held[1] ~= ARGV[1] or held[2] then
  return 0
end
if ARGV[3] ~= '' and held[3] ~= ARGV[3] then
  return 0
end
if ARGV[2] ~= '' then
  local t = redis.call('TIME')
  redis.call('HSET', KEYS[1], ARGV[2], t[1] .. string.format('%06d', tonumber(t[2])))
end
if #ARGV > 3 then
  redis.call('HSET', KEYS[1], unpack(ARGV, 4))
end
return 1
