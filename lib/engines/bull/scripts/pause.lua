--[[
  Pauses or resumes a queue in every process. As Bull's pause, but a second pause changes nothing.

  KEYS[1]  any key of the queue
  ARGV     base, 'paused' or 'resumed'
  Effects  waiting jobs move between `wait` and `paused`; `meta-paused`, and `paused` in the hash `meta`, which BullMQ
           reads; the event of that name
]]
local base, event = ARGV[1], ARGV[2]
local is_paused = call('EXISTS', base .. 'meta-paused') == 1
if is_paused == (event == 'paused') then return 0 end

local from, to = base .. 'wait', base .. 'paused'
if event == 'paused' then
  call('SET', base .. 'meta-paused', 1)
  call('HSET', base .. 'meta', 'paused', 1)
else
  from, to = to, from
  call('DEL', base .. 'meta-paused')
  call('HDEL', base .. 'meta', 'paused')
end
if call('EXISTS', from) == 1 then call('RENAME', from, to) end
-- Jobs of high and low priority stay in their lists, which nobody looks at during a pause.
if event == 'resumed' and call('EXISTS', base .. 'high', base .. 'low') > 0 then call('PUBLISH', base .. 'lanes', '') end
call('PUBLISH', base .. event, event)
return 1
