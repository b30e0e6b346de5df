--[[
  Removes finished jobs whose time is over, and ends those that have expired; a part of them, so that the server is free
  for others in between.

  KEYS[1]  `kept` of the queue
  ARGV     base, now, of expired jobs: keep in ms, most of them
  Returns  1 when there are more, else 0
]]
local base, now = ARGV[1], tonumber(ARGV[2])
prune(base, now, 200)
with_rules().sweep_expired(base, now, { tonumber(ARGV[3]), tonumber(ARGV[4]) })
-- A tool that empties the lists does not know of the entries that were left in them.
if call('EXISTS', base .. 'wait', base .. 'paused', base .. 'high', base .. 'low', base .. 'arriving',
  base .. 'active') == 0 then
  call('DEL', base .. 'gone')
end
local more = call('ZCOUNT', base .. 'kept', '-inf', now) + call('ZCOUNT', base .. 'expiring', '-inf', now)
return more > 0 and 1 or 0
