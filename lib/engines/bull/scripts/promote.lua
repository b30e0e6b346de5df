--[[
  Makes jobs whose time has come ready to be taken: delayed ones that are due, as Bull's updateDelaySet, and those whose
  planned start is here.

  KEYS[1]  `delayed` of the queue
  ARGV     base, now, token
  Effects  up to 1,000 jobs of each kind move to the lists; the event `waiting@token` for each, `delayed` with the next
           due time
  Returns  the next time in ms since the epoch, as text; '' when there is none
]]
local base, now = ARGV[1], tonumber(ARGV[2])

local list = waiting_list(base)
local due = call('ZRANGEBYSCORE', KEYS[1], '-inf', now * 0x1000 + 0xfff, 'LIMIT', 0, 1000)
for _, id in ipairs(due) do
  call('ZREM', KEYS[1], id)
  if redis.pcall('HEXISTS', base .. id, 'name') == 1 then
    put_back(base, id, list, false)
    call('HSET', base .. id, 'delay', '0')
    call('PUBLISH', base .. 'waiting@' .. ARGV[3], id)
  end
end

-- They have waited already, so they go first; backwards, so that the earliest is the very first.
local paced = {}
if call('EXISTS', base .. 'paced') == 1 then
  paced = call('ZRANGEBYSCORE', base .. 'paced', '-inf', with_rules().clock(), 'LIMIT', 0, 1000)
end
for i = #paced, 1, -1 do
  call('ZREM', base .. 'paced', paced[i])
  if is_unfinished(base, paced[i]) then put_back(base, paced[i], list, true) end
end

local next
local score = call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
if score then
  next = math.floor(tonumber(score) / 0x1000)
  call('PUBLISH', KEYS[1], next)
end
local planned = call('ZRANGE', base .. 'paced', 0, 0, 'WITHSCORES')[2]
-- By the worker's clock, which may be another than the server's.
if planned then
  local wait = math.max(1, math.ceil(tonumber(planned) - with_rules().clock()))
  next = math.min(next or math.huge, now + wait)
end
return next and string.format('%.0f', next) or ''
