--[[
  Makes delayed jobs that are due ready to be taken. As Bull's updateDelaySet.

  KEYS[1]  `delayed` of the queue
  ARGV     base, now, token
  Effects  up to 1,000 jobs move to `wait` or `paused`; the event `waiting@token` for each, `delayed` with the next due time
  Returns  the next due time in ms since the epoch, as text; '' when nothing is delayed
]]
local base = ARGV[1]
local list = waiting_list(base)
local due = call('ZRANGEBYSCORE', KEYS[1], 0, tonumber(ARGV[2]) * 0x1000 + 0xfff, 'LIMIT', 0, 1000)
for _, id in ipairs(due) do
  call('ZREM', KEYS[1], id)
  if redis.pcall('HEXISTS', base .. id, 'name') == 1 then
    put_back(base, id, list, false)
    call('HSET', base .. id, 'delay', '0')
    call('PUBLISH', base .. 'waiting@' .. ARGV[3], id)
  end
end
local score = call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
if not score then return '' end
local next = math.floor(tonumber(score) / 0x1000)
call('PUBLISH', KEYS[1], next)
return string.format('%.0f', next)
