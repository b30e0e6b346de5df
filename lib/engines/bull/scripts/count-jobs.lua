--[[
  Counts a queue's jobs by state.

  KEYS[1]  any key of the queue
  ARGV     base
  Returns  waiting, delayed, active, completed, failed, cancelled, expired
]]
local base = ARGV[1]
local waiting = call('ZCARD', base .. 'parked') + call('ZCARD', base .. 'paced')
  - (tonumber(call('HGET', base .. 'gone', '') or '0') or 0)
for _, list in ipairs({ 'wait', 'paused', 'high', 'low', 'arriving' }) do waiting = waiting + call('LLEN', base .. list) end
return {
  math.max(0, waiting),
  call('ZCARD', base .. 'delayed'),
  call('LLEN', base .. 'active'),
  call('ZCARD', base .. 'completed'),
  call('ZCARD', base .. 'failed'),
  call('ZCARD', base .. 'cancelled'),
  call('ZCARD', base .. 'expired'),
}
