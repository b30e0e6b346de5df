--[[
  Reads what is kept of schedules (tick-decisions.lua), and makes them known.

  KEYS[1]  any key of the queue
  ARGV     base, how long that outlives the last tick in ms, how far ahead a stored tick is wrong in ms, then per schedule:
           name, rule ('': read only)
  Effects  with a rule, the schedule is known, and what was due under another rule before now is not missed
  Returns  now in ms, then per schedule {} or { instant up to which it is done, last tick that made a job, state of that job,
           pause as JSON, count, missed, skipped, definition ('': none) }
]]
local base, ttl, wrong_clock = ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer = { string.format('%.0f', now) }

local function state_of(id, ended)
  if not id then return '' end
  if not is_unfinished(base, id) then return ended or 'unknown' end
  if call('HEXISTS', base .. id, 'worker') == 1 or call('EXISTS', base .. id .. ':lock') == 1 then return 'active' end
  return call('ZSCORE', base .. 'delayed', id) and 'delayed' or 'waiting'
end

for at = 4, #ARGV, 2 do
  local key, rule = base .. 'schedule:' .. ARGV[at], ARGV[at + 1]
  if rule ~= '' then
    if call('HGET', key, 'rule') ~= rule then
      call('HSET', key, 'rule', rule, 'since', string.format('%.0f', now))
    end
    if call('HEXISTS', key, 'paused') == 0 then call('PEXPIRE', key, ttl) end
  end
  local found = call('HMGET', key, 'last', 'since', 'ran', 'job', 'ended', 'paused', 'count', 'missed', 'skipped')
  local last = tonumber(found[1] or '0') or 0
  if last > now + wrong_clock then last = 0 end
  local done = math.max(last, tonumber(found[2] or '0') or 0)
  local definition = rule == '' and call('HGET', base .. 'schedules', ARGV[at]) or ''
  if definition == '' and call('EXISTS', key) == 0 then
    answer[#answer + 1] = {}
  else
    answer[#answer + 1] = { string.format('%.0f', done), found[3] or '', state_of(found[4], found[5]), found[6] or '',
      found[7] or '0', found[8] or '0', found[9] or '0', definition }
  end
end
return answer
