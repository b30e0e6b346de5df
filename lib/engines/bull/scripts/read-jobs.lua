--[[
  Reads jobs and their states, each looked for in one or more queues.

  KEYS[1]  any key of the first queue
  ARGV     now, what to read (`state`, `end`, `all`), number of queues, their bases, then the ids
  Returns  per id: {} when no queue knows it, else { number of the queue, state, ... }, followed
           for `end` by returnvalue, failedReason, runs, progress; for `all` by the hash as a list, the log lines,
           the due time in ms ('' : none), '1' when its queue is paused
]]
local now, what, queues = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])

-- Follows from O(1) look-ups only: lists are not searched.
local function state_of(base, id)
  local found = redis.pcall('HMGET', base .. id, 'name', 'finishedOn', 'keptUntil', 'worker')
  if found.err or not found[1] then return nil end
  if found[2] then
    if found[3] and tonumber(found[3]) <= now then return nil end
    if call('ZSCORE', base .. 'failed', id) then return 'failed' end
    return 'completed'
  end
  if found[4] or call('EXISTS', base .. id .. ':lock') == 1 then return 'active' end
  if call('ZSCORE', base .. 'delayed', id) then return 'delayed' end
  return 'waiting'
end

local function read(base, id, answer)
  local key = base .. id
  if what == 'end' then
    for _, value in ipairs({ 'returnvalue', 'failedReason', 'runs', 'progress' }) do
      answer[#answer + 1] = call('HGET', key, value)
    end
  elseif what == 'all' then
    answer[3] = call('HGETALL', key)
    local logs = redis.pcall('LRANGE', key .. ':logs', 0, -1)
    answer[4] = logs.err and {} or logs
    local score = call('ZSCORE', base .. 'delayed', id)
    answer[5] = score and string.format('%.0f', math.floor(tonumber(score) / 0x1000)) or ''
    answer[6] = call('EXISTS', base .. 'meta-paused') == 1 and '1' or ''
  end
  return answer
end

local answers = {}
for at = 4 + queues, #ARGV do
  local id, answer = ARGV[at], {}
  for queue = 1, queues do
    local base = ARGV[3 + queue]
    local state = state_of(base, id)
    if state then
      answer = read(base, id, { queue, state })
      break
    end
  end
  answers[#answers + 1] = answer
end
return answers
