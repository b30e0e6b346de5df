--[[
  Stores the definition of a schedule, or removes a schedule.

  KEYS[1]  `schedules` of the queue
  ARGV     base, name, definition ('': remove it), removed schedules that are remembered
  Effects  as tick-decisions.lua says; what is kept of a removed schedule is gone, and one that is set anew counts from 0; the event `schedules` with the version
  Returns  1, or 0 when nothing changed
]]
local base, name, definition = ARGV[1], ARGV[2], ARGV[3]
local known = call('HGET', KEYS[1], name)
if known == definition or not known and definition == '' then return 0 end
-- Of the clock where that is later, so that no version comes again after some were lost with a master.
local time = call('TIME')
local before = tonumber(call('GET', base .. 'schedules-version') or '0') or 0
local version = string.format('%.0f', math.max(before + 1, time[1] * 1000 + math.floor(time[2] / 1000)))
call('SET', base .. 'schedules-version', version)
if definition == '' then
  call('HDEL', KEYS[1], name)
  call('ZREM', base .. 'schedules-changed', name)
  local removed = base .. 'schedules-removed'
  call('ZADD', removed, version, name)
  if call('ZCARD', removed) > tonumber(ARGV[4]) then call('ZREM', removed, call('ZRANGE', removed, 0, 0)[1]) end
  call('DEL', base .. 'schedule:' .. name)
else
  call('HSET', KEYS[1], name, definition)
  call('ZADD', base .. 'schedules-changed', version, name)
  call('ZREM', base .. 'schedules-removed', name)
  call('HDEL', base .. 'schedule:' .. name, 'count')
end
call('PUBLISH', KEYS[1], version)
return 1
