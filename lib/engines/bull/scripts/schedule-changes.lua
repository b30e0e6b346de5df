--[[
  Reads which schedules were set and removed after a version.

  KEYS[1]  `schedules` of the queue
  ARGV     base, version (0: all that are stored), most definitions, removed schedules that are remembered
  Returns  { now in ms, version to ask from next, 1 when there are more, 1 when what was removed can no longer be told, names of the
           removed ones; then name, version and definition of those that were set }
]]
local time = call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local base, since, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local version = tonumber(call('GET', base .. 'schedules-version') or '0') or 0
-- What is stored has been deleted, or restored from a backup, so that versions begin anew.
if since > version then return { now, 0, 0, 1, {} } end
local removed = {}
if since > 0 and since < version then
  removed = call('ZRANGEBYSCORE', base .. 'schedules-removed', '(' .. since, '+inf')
  if #removed >= tonumber(ARGV[4]) then return { now, 0, 0, 1, {} } end
end
local found = since < version
  and call('ZRANGEBYSCORE', base .. 'schedules-changed', '(' .. since, '+inf', 'WITHSCORES', 'LIMIT', 0, most) or {}
local has_more = #found == most * 2
local answer = { now, has_more and tonumber(found[#found]) or version, has_more and 1 or 0, 0, removed }
for i = 1, #found, 2 do
  answer[#answer + 1] = found[i]
  answer[#answer + 1] = found[i + 1]
  answer[#answer + 1] = call('HGET', KEYS[1], found[i]) or ''
end
return answer
