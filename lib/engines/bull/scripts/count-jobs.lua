--[[
  Counts a queue's jobs by state.

  KEYS[1]  any key of the queue
  ARGV     base, now
  Effects  finished jobs whose time is over are removed, up to 1,000
  Returns  waiting (in `wait` or `paused`), delayed, active, completed, failed
]]
local base = ARGV[1]
prune(base, tonumber(ARGV[2]), 1000)
return {
  call('LLEN', base .. 'wait') + call('LLEN', base .. 'paused'),
  call('ZCARD', base .. 'delayed'),
  call('LLEN', base .. 'active'),
  call('ZCARD', base .. 'completed'),
  call('ZCARD', base .. 'failed'),
}
