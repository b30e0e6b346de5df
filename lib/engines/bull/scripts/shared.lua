--[[
  Functions that the other scripts begin with. The keys and fields are Bull's, but for ours:

  of a job's hash  `worker`, `runs`, `metadata`, `keptUntil`; `rules` (JSON, as JobRules) where it has any, and then
                   `gate` while it is parked, `after` (the job whose end it waits for), `start` (its last one, of a rate),
                   `stopped` (cancelled, expired)
  of a queue       `kept`, `failed:<task>`; `high` and `low` (lists beside `wait`), `arriving` (arrive.lua), `cancelled`,
                   `expired`, `expiring`, `tag:<tag>`, and what entries.lua, parking.lua, rates.lua and tick-decisions.lua say

  base   the queue's key prefix with its last colon, e.g. `tasks:mail:`
  id     a job's id; its hash is `base .. id`
]]

-- What a job's field `rules` says, or nil. Parts of a wrong shape count as absent: a broken job must stop nobody.
local function read_rules(text)
  if not text or text == '' then return nil end
  local is_read, rules = pcall(cjson.decode, text)
  if not is_read or type(rules) ~= 'table' then return nil end
  local function is_number(value) return type(value) == 'number' and math.abs(value) < 1e15 end
  for name, numbers in pairs({ unique = {}, concurrency = { 'max' }, rate = { 'max', 'per' } }) do
    local part = rules[name]
    local fits = type(part) == 'table' and type(part.key) == 'string'
    for _, number in ipairs(numbers) do fits = fits and is_number(part[number]) and part[number] > 0 end
    if not fits then rules[name] = nil end
  end
  if rules.unique and type(rules.unique['until']) == 'number' and not is_number(rules.unique['until']) then
    rules.unique['until'] = 'finished'
  end
  local schedule = rules.schedule
  if type(schedule) ~= 'table' or type(schedule.name) ~= 'string' then rules.schedule = nil end
  if not is_number(rules.expiresAt) then rules.expiresAt = nil end
  if rules.priority ~= 'high' and rules.priority ~= 'low' then rules.priority = nil end
  local tags = {}
  for _, tag in ipairs(type(rules.tags) == 'table' and rules.tags or {}) do
    if type(tag) == 'string' then tags[#tags + 1] = tag end
  end
  rules.tags = #tags > 0 and tags or nil
  return rules
end

-- Hands a list's values to a function, as many at a time as Lua can unpack; answers all that lists answered.
local function in_parts(list, step)
  if #list == 0 then return {} end
  if #list <= 1000 then return step(unpack(list)) end
  local answers = {}
  for first = 1, #list, 1000 do
    local answer = step(unpack(list, first, math.min(first + 999, #list)))
    for _, value in ipairs(type(answer) == 'table' and answer or {}) do answers[#answers + 1] = value end
  end
  return answers
end

-- A paused queue collects its jobs in another list, as Bull's getTargetQueueList has it.
local function waiting_list(base)
  if call('EXISTS', base .. 'meta-paused') == 1 then return base .. 'paused' end
  return base .. 'wait'
end

-- Tells idle workers of a job that their blocking read of `wait` does not see.
local function wake(base)
  call('PUBLISH', base .. 'lanes', '')
end

-- Makes a known job ready to be taken, last in line or first; a priority that a plain Bull producer set is kept.
local function put_back(base, id, list, is_first)
  local job = call('HMGET', base .. id, 'priority', 'rules')
  local priority = tonumber(job[1] or '0') or 0
  local rules = read_rules(job[2])
  if rules and rules.priority then
    call(is_first and 'RPUSH' or 'LPUSH', base .. rules.priority, id)
    wake(base)
  elseif priority > 0 then
    call('ZADD', base .. 'priority', priority, id)
    local ahead = call('ZCOUNT', base .. 'priority', 0, priority)
    local neighbour = call('LINDEX', list, call('LLEN', list) - (ahead - 1))
    if neighbour then call('LINSERT', list, 'BEFORE', neighbour, id) else call('RPUSH', list, id) end
  elseif is_first then
    call('RPUSH', list, id)
  else
    call('LPUSH', list, id)
  end
end

-- Bull scores a delayed job with its due time in the upper bits, which leaves 12 bits to keep the order of enqueueing.
local function put_later(base, id, due, order)
  call('ZADD', base .. 'delayed', due * 0x1000 + order % 0x1000, id)
  call('PUBLISH', base .. 'delayed', due)
end

-- Whether a job of this id is there and has not ended. What stands there may be anything.
local function is_unfinished(base, id)
  local job = redis.pcall('HMGET', base .. id, 'name', 'finishedOn')
  return not job.err and job[1] and not job[2]
end
