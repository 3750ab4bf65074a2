-- revoke.lua makes one statement: entry, feed record and epoch together.
--
-- KEYS  1 epoch, 2 feed, 3 entry, 4… entries for trim (see feed.lua)
-- ARGV  1 id if a new epoch must begin   2 floor of store time (see epoch.lua)
--       3 nonce of the feed record       4 horizon of the feed (µs)
--       5 leeway (ms)
--       6 kind  7 issuer  8 id to keep  9 subject  10 reason  11 actor
--       12 end of the life (unix ms; 0: take 13)  13 longest life (ms; 0: never ends)
--       14 '1': each call is a statement of its own (cut-offs)
--       15 greatest number of statements of an entry
--       16 '1': somebody waits until every edge has applied it
-- returns {store time of the statement, the entry's fields and values, digests for
--         trim, id of the epoch}; {'shut'} when the epoch is (see epoch.lua)

local real = real_time()
local leeway = tonumber(ARGV[5])
local epoch = load_epoch(KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]))
if refused(KEYS[1], epoch, real) then
  return {'shut'}
end
local entry = load_entry(KEYS[3], real, leeway)
local had = redis.call('PTTL', KEYS[3]) -- -2: no such key, -1: no TTL
local now = store_time(real, epoch.clock)
local real_ms = math.floor(real / 1000)
epoch.clock = now

local exp, life = tonumber(ARGV[12]), tonumber(ARGV[13])
local longest = longest_access(KEYS[1], 0)
if exp == 0 and life > 0 then
  exp = real_ms + math.max(life, longest) -- some process may allow longer tokens than we do
end

local s
if ARGV[14] ~= '1' then
  s = standing(entry)
end
local made = s == nil
if made then
  s = {at = now, exp = exp, why = ARGV[10], who = ARGV[11], u = ''}
  table.insert(entry.list, s)
  crowd(entry, tonumber(ARGV[15]))
elseif s.exp ~= 0 then
  s.exp = math.max(s.exp, exp)
end

-- A life is never shortened: neither by a statement about a shorter one, nor is
-- a key that stays given an end.
local ttl = -1
if s.exp ~= 0 and had ~= -1 then
  ttl = math.max(had, ends(s, leeway) - real_ms, 1000)
end

-- The feed has whole seconds: an end moved within its second needs no record.
-- Whoever waits is told anew even of what stands, so that edges report at once.
local told = made or end_second(real, ttl) ~= end_second(real, had) or ARGV[16] == '1'
redis.call('HSET', KEYS[3], 'k', ARGV[6], 'iss', ARGV[7], 'id', ARGV[8])
if ARGV[9] ~= '' or not entry.field.sub then
  redis.call('HSET', KEYS[3], 'sub', ARGV[9])
end
save_entry(KEYS[3], entry, s)
if ttl == -1 then
  redis.call('PERSIST', KEYS[3])
else
  redis.call('PEXPIRE', KEYS[3], text(ttl))
end

local wanted = {}
if told then
  append(KEYS[2], epoch, ARGV[3], {
    d = string.sub(KEYS[3], -32), k = ARGV[6], cut = text(standing(entry).at),
    exp = end_second(real, ttl), at = text(now), u = entry.field.u, b = below(entry), w = ARGV[16] == '1' and '1',
  })
  redis.call('HSET', KEYS[3], 'n', text(epoch.n), 'at', text(now), 'exp', end_second(real, ttl))
  wanted = trim(KEYS[2], epoch, ARGV[3], real, math.max(tonumber(ARGV[4]), (longest + leeway) * 1000), named_entries(4))
end
save_epoch(KEYS[1], epoch, now, false)
return {text(s.at), redis.call('HGETALL', KEYS[3]), wanted, epoch.id}
