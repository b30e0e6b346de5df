--[[
  Reads jobs and their states, each looked for in one or more queues.

  KEYS[1]  any key of the first queue
  ARGV     now, of expired jobs: keep in ms, most of them; what to read (`state`, `end`, `all`), number of queues, their
           bases, then the ids
  Effects  a job that has expired ends, so that its time to be kept begins
  Returns  per id: {} when no queue knows it, else { number of the queue, state, ... }, followed
           for `end` by returnvalue, failedReason, runs, the instant from which it does not start any more ('': none);
           for `all` by the hash as a list, the log lines, the due time in ms ('' : none), why it waits ('': its turn)
]]
local now, what, queues = tonumber(ARGV[1]), ARGV[4], tonumber(ARGV[5])
local keep = { tonumber(ARGV[2]), tonumber(ARGV[3]) }

-- Follows from O(1) look-ups only: lists are not searched. Answers the rules too.
local function state_of(base, id)
  local found = redis.pcall('HMGET', base .. id, 'name', 'finishedOn', 'keptUntil', 'worker', 'rules', 'stopped')
  if found.err or not found[1] then return nil end
  local rules = read_rules(found[5])
  if found[2] then
    if found[3] and (tonumber(found[3]) or 0) <= now then return nil end
    if found[6] then return found[6], rules end
    if call('ZSCORE', base .. 'failed', id) then return 'failed', rules end
    return 'completed', rules
  end
  if found[4] or call('EXISTS', base .. id .. ':lock') == 1 then return 'active', rules end
  if rules and rules.expiresAt and with_rules().expire_if_due(base, id, now, keep) then
    -- Who waits for its end is told of it, even where nothing is kept.
    if what == 'end' then return 'expired', rules end
    return state_of(base, id)
  end
  if call('ZSCORE', base .. 'delayed', id) then return 'delayed', rules end
  return 'waiting', rules
end

local function reason_of(base, id, rules)
  if call('EXISTS', base .. 'meta-paused') == 1 then return 'pause' end
  if not rules then return '' end
  local gate = call('HGET', base .. id, 'gate')
  if gate and string.sub(gate, 1, 5) ~= 'rate:' then return 'concurrency' end
  return (gate or call('ZSCORE', base .. 'paced', id)) and 'rate' or ''
end

local function read(base, id, rules, answer)
  local key = base .. id
  if what == 'end' then
    for _, value in ipairs({ 'returnvalue', 'failedReason', 'runs' }) do
      answer[#answer + 1] = call('HGET', key, value)
    end
    answer[6] = rules and rules.expiresAt and string.format('%.0f', rules.expiresAt) or ''
  elseif what == 'all' then
    answer[3] = call('HGETALL', key)
    local logs = redis.pcall('LRANGE', key .. ':logs', 0, -1)
    answer[4] = logs.err and {} or logs
    local score = call('ZSCORE', base .. 'delayed', id)
    answer[5] = score and string.format('%.0f', math.floor(tonumber(score) / 0x1000)) or ''
    answer[6] = answer[2] == 'waiting' and reason_of(base, id, rules) or ''
  end
  return answer
end

local answers = {}
for at = 6 + queues, #ARGV do
  local id, answer = ARGV[at], {}
  for queue = 1, queues do
    local base = ARGV[5 + queue]
    local state, rules = state_of(base, id)
    if state then
      answer = read(base, id, rules, { queue, state })
      break
    end
  end
  answers[#answers + 1] = answer
end
return answers
