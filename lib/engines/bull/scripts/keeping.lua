--[[
  Functions for ended jobs that are kept for a time, and for what is left of jobs.
]]

local function index(base, id, rules, now)
  if rules.expiresAt then call('ZADD', base .. 'expiring', rules.expiresAt, id) end
  for _, tag in ipairs(rules.tags or {}) do call('ZADD', base .. 'tag:' .. tag, now, id) end
end

local function forget_tags(base, id, rules)
  for _, tag in ipairs(rules and rules.tags or {}) do call('ZREM', base .. 'tag:' .. tag, id) end
end

local function forget(base, id, rules)
  call('DEL', base .. id, base .. id .. ':logs')
  forget_tags(base, id, rules)
end

-- Takes a job out of the sets of ended jobs; its hash must still be there.
local function leave_ended(base, id)
  for _, state in ipairs({ 'completed', 'cancelled', 'expired', 'kept' }) do call('ZREM', base .. state, id) end
  if call('ZREM', base .. 'failed', id) == 0 then return end
  local name = redis.pcall('HGET', base .. id, 'name')
  if type(name) == 'string' then call('ZREM', base .. 'failed:' .. name, id) end
end

local function forget_finished(base, id, rules)
  leave_ended(base, id)
  forget(base, id, rules)
end

-- Whether a finished job's time is over. A job that was made anew under the same id has neither field.
local function is_outdated(base, id, now)
  local fields = redis.pcall('HMGET', base .. id, 'finishedOn', 'keptUntil', 'rules')
  return fields[1] and fields[2] and (tonumber(fields[2]) or 0) <= now, fields[3]
end

-- Removes finished jobs whose time is over, at most `limit` of them.
local function prune(base, now, limit)
  local ids = call('ZRANGEBYSCORE', base .. 'kept', '-inf', now, 'LIMIT', 0, limit)
  for _, id in ipairs(ids) do
    local is_over, rules = is_outdated(base, id, now)
    if is_over then forget_finished(base, id, read_rules(rules)) end
    call('ZREM', base .. 'kept', id)
  end
end

-- Notes a job as ended, to be kept for `age` ms; false when nothing is to be kept, and the job is gone.
local function keep_ended(base, state, id, now, age, rules)
  if age <= 0 then
    forget(base, id, rules)
    return false
  end
  call('HDEL', base .. id, 'worker')
  call('HSET', base .. id, 'finishedOn', now, 'keptUntil', now + age)
  call('ZADD', base .. state, now, id)
  call('ZADD', base .. 'kept', now + age, id)
  return true
end

-- Keeps no more than `count` of a set of ended jobs; the oldest go. state: the one that they must still be in
local function trim(base, set, state, count)
  local surplus = call('ZCARD', base .. set) - count
  if surplus <= 0 then return end
  for _, old in ipairs(call('ZRANGE', base .. set, 0, math.min(surplus, 1000) - 1)) do
    if call('ZSCORE', base .. state, old) then
      local rules = redis.pcall('HGET', base .. old, 'rules')
      forget_finished(base, old, type(rules) == 'string' and read_rules(rules) or nil)
    end
    call('ZREM', base .. set, old)
  end
end

local function publish_end(base, state, id, value, error, lock)
  local message = '{"jobId":' .. cjson.encode(id)
  if value then message = message .. ',"val":' .. cjson.encode(value) end
  if error then message = message .. ',"error":' .. error end
  if lock then message = message .. ',"lock":' .. cjson.encode(lock) end
  call('PUBLISH', base .. state, message .. '}')
end

-- As Bull's debounce: a key without an end of its own ends with its job.
local function free_debounce(base, debounce)
  if debounce ~= '' and call('PTTL', base .. 'de:' .. debounce) <= 0 then call('DEL', base .. 'de:' .. debounce) end
end
