--[[
  Pauses or resumes a schedule.

  KEYS[1]  what is kept of the schedule (tick-decisions.lua)
  ARGV     the pause as JSON ('': resume), how long what is kept outlives the last tick in ms
  Effects  a paused schedule is kept a thousand times as long; what was due during a pause is not missed
]]
if ARGV[1] ~= '' then
  call('HSET', KEYS[1], 'paused', ARGV[1])
  call('PEXPIRE', KEYS[1], 1000 * tonumber(ARGV[2]))
elseif call('HDEL', KEYS[1], 'paused') == 1 then
  local time = call('TIME')
  call('HSET', KEYS[1], 'since', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
  call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
