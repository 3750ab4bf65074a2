-- Says where a refresh token stands, and changes nothing.
-- KEYS[1]  the session's record
-- ARGV     1 generation, 2 jti, 3 grace, 4 cap while undelivered (ms), 5 longest life (s)
-- Returns  'current', 'previous', 'spent', 'lost', 'ending' or 'ended'
local r = read(KEYS[1])
if not r then
  return 'lost'
end
if r.state then
  return r.state
end
local now, ms = clock()
if now >= tonumber(r.created) + tonumber(ARGV[5]) then
  return 'ended'
end
return place(r, tonumber(ARGV[1]), ARGV[2], ms, tonumber(ARGV[3]), tonumber(ARGV[4]))
