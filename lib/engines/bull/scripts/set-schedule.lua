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
local version = call('INCR', base .. 'schedules-version')
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
