--[[
  Takes away what dead processes, other tools and evictions have left of jobs, and gives jobs back that stand nowhere; a
  part of the keys per call, so that the server is free for others in between.

  KEYS[1]  any key of the queue
  ARGV     base, now, cursor of SCAN ('0': begin anew)
  Effects  removed: entries, keys and slots of jobs that are gone, logs and parts of hashes without a job, ended jobs that
           are past their age. A job that stands in no list, such as one whose list was overwritten, waits again; one that
           was being run, and is neither active nor locked, goes to `active` for `recover`
  Returns  the next cursor, '0' at the end
]]
local base, now = ARGV[1], tonumber(ARGV[2])
local function is_gone(id) return call('EXISTS', base .. id) == 0 end
local function is_over(id) return not is_unfinished(base, id) end
-- Looks at the first entries of a sorted set, which are its oldest, or at some of a set.
local function weed(key, kind, is_weed)
  local ids = kind == 'set' and call('SRANDMEMBER', key, 100) or call('ZRANGE', key, 0, 99)
  for _, id in ipairs(ids) do
    if is_weed(id) then call(kind == 'set' and 'SREM' or 'ZREM', key, id) end
  end
end

-- A key without an end of its own ends with its job.
local function end_with_job(key)
  local id = redis.pcall('GET', key)
  if type(id) == 'string' and call('PTTL', key) == -1 and is_over(id) then call('DEL', key) end
end

local by_prefix = {
  ['tag:'] = function(key) weed(key, 'zset', is_gone) end,
  ['failed:'] = function(key) weed(key, 'zset', is_gone) end,
  ['parked:'] = function(key) weed(key, 'zset', is_over) end,
  ['reserved:'] = function(key) weed(key, 'zset', is_over) end,
  ['slots:'] = function(key) weed(key, 'set', is_over) end,
  ['unique:'] = end_with_job,
  ['de:'] = end_with_job,
  ['rate:'] = function() end,
  ['schedule:'] = function() end,
}

-- Fields that may be left, or be written anew, of a job that was removed meanwhile.
local leftovers = { progress = 1, data = 1, opts = 1, delay = 1, priority = 1, timestamp = 1, worker = 1, runs = 1,
  attemptsMade = 1, stalledCounter = 1, processedOn = 1, finishedOn = 1, keptUntil = 1, returnvalue = 1, stacktrace = 1,
  failedReason = 1, metadata = 1, rules = 1, gate = 1, after = 1, start = 1, stopped = 1, deid = 1 }

local function is_leftover(key)
  local fields = call('HGETALL', key)
  for i = 1, #fields, 2 do
    if not leftovers[fields[i]] then return false end
  end
  return true
end

-- Lists that are too long are not searched: their jobs are looked at when there are fewer.
local function are_lists_short()
  for _, list in ipairs({ 'wait', 'paused', 'high', 'low', 'arriving', 'active' }) do
    if call('LLEN', base .. list) > 500 then return false end
  end
  return true
end

local function look_at_job(key, id)
  -- A hash that is no job; or it may be one of another application, whose prefix begins with this one.
  if string.find(' gone meta schedules ', ' ' .. id .. ' ', 1, true) or string.find(id, ':', 1, true) then return end
  local job = redis.pcall('HMGET', key, 'name', 'finishedOn', 'keptUntil', 'worker', 'rules')
  if job.err then return end
  if not job[1] then
    if call('EXISTS', key .. ':lock') == 0 and is_leftover(key) then call('DEL', key) end
  elseif job[2] then
    if job[3] and (tonumber(job[3]) or 0) <= now then forget_finished(base, id, read_rules(job[5])) end
  elseif are_lists_short() and not call('LPOS', base .. 'active', id) and not stands_elsewhere(base, id) then
    if job[4] then call('LPUSH', base .. 'active', id) else put_back(base, id, waiting_list(base), false) end
  end
end

local function look_at(key)
  local name = string.sub(key, #base + 1)
  local look = by_prefix[string.match(name, '^%a+:') or '']
  local id, part = string.match(name, '^(.*):(%a+)$')
  if look then look(key)
  elseif part == 'logs' then if is_gone(id) then call('DEL', key) end
  elseif part == 'lock' then if call('PTTL', key) == -1 then call('PEXPIRE', key, 30000) end
  else look_at_job(key, name) end
end

if ARGV[3] == '0' then
  for _, set in ipairs({ 'completed', 'failed', 'cancelled', 'expired', 'kept' }) do
    pcall(weed, base .. set, 'zset', is_gone)
  end
  for _, set in ipairs({ 'delayed', 'paced', 'parked', 'expiring', 'priority' }) do
    pcall(weed, base .. set, 'zset', is_over)
  end
  pcall(weed, base .. 'stalled', 'set', is_over)
  pcall(weed, base .. 'limits', 'set', function(key) return call('EXISTS', base .. 'slots:' .. key) == 0 end)
end
local pattern = string.gsub(base, '[%*%?%[%]\\]', '\\%0') .. '*'
local found = call('SCAN', ARGV[3], 'MATCH', pattern, 'COUNT', 100)
for _, key in ipairs(found[2]) do pcall(look_at, key) end
return found[1]
