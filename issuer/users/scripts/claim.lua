-- Claims a user id: writes the whole record with a short life, unless there is one.
-- KEYS[1]  the user's record
-- ARGV[1]  life of the claim, ms
-- ARGV[2]… field and value, in pairs; the password's pair comes last
-- Returns  store time in µs as text, or "" when the id is taken
if redis.call('EXISTS', KEYS[1]) == 1 then
  return ''
end
local t = redis.call('TIME')
local now = t[1] .. string.format('%06d', tonumber(t[2]))
redis.call('HSET', KEYS[1], 'pending', '1', 'created', now, 'password_changed', now, unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return now
