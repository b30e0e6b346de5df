--[[
  Functions that write the outcome of a run. Each takes the position of its arguments in ARGV and answers the next one.
]]

-- Gives a job's lock back and takes it off the active list; false when the lock is not held by this run any more.
local function release(base, id, lock)
  local key = base .. id .. ':lock'
  if call('GET', key) ~= lock then return false end
  call('DEL', key)
  call('SREM', base .. 'stalled', id)
  return call('LREM', base .. 'active', -1, id) > 0
end

local function publish_end(base, state, id, value, error)
  local message = '{"jobId":' .. cjson.encode(id)
  if value then message = message .. ',"val":' .. cjson.encode(value) end
  if error then message = message .. ',"error":' .. error end
  call('PUBLISH', base .. state, message .. '}')
end

-- As Bull's debounce: a key without an end of its own ends with its job.
local function free_debounce(base, debounce)
  if debounce ~= '' and call('PTTL', base .. 'de:' .. debounce) <= 0 then call('DEL', base .. 'de:' .. debounce) end
end

local finish = {}

-- result ('' : none), keep in ms, runs, debounce id
function finish.completed(base, id, at, now)
  local result, keep = ARGV[at], tonumber(ARGV[at + 1])
  if result == '' then result = nil end
  if keep > 0 then
    local key = base .. id
    call('HDEL', key, 'worker')
    call('HSET', key, 'finishedOn', now, 'keptUntil', now + keep, 'runs', ARGV[at + 2])
    if result then call('HSET', key, 'returnvalue', result) end
    call('ZADD', base .. 'completed', now, id)
    call('ZADD', base .. 'kept', now + keep, id)
  else
    forget(base, id)
  end
  free_debounce(base, ARGV[at + 3])
  publish_end(base, 'completed', id, result)
end

-- reason, error as JSON, stack traces as JSON, attempts made, keep in ms, most failed jobs, runs, debounce id
function finish.failed(base, id, at, now)
  local keep, count = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  if keep > 0 and count > 0 then
    local key = base .. id
    call('HDEL', key, 'worker')
    call('HSET', key, 'failedReason', ARGV[at], 'stacktrace', ARGV[at + 2], 'attemptsMade', ARGV[at + 3],
      'finishedOn', now, 'keptUntil', now + keep, 'runs', ARGV[at + 6])
    call('ZADD', base .. 'failed', now, id)
    call('ZADD', base .. 'kept', now + keep, id)
    local surplus = call('ZCARD', base .. 'failed') - count
    if surplus > 0 then
      for _, old in ipairs(call('ZRANGE', base .. 'failed', 0, math.min(surplus, 1000) - 1)) do
        forget(base, old)
        call('ZREM', base .. 'failed', old)
        call('ZREM', base .. 'kept', old)
      end
    end
  else
    forget(base, id)
  end
  free_debounce(base, ARGV[at + 7])
  publish_end(base, 'failed', id, ARGV[at], ARGV[at + 1])
end

-- due in ms since the epoch ('0': at once), '1' when first in line, attempts made, runs, reason, stack traces as JSON
function finish.again(base, id, at)
  local key, due = base .. id, tonumber(ARGV[at])
  call('HDEL', key, 'worker')
  call('HSET', key, 'attemptsMade', ARGV[at + 2], 'runs', ARGV[at + 3])
  if ARGV[at + 5] ~= '' then call('HSET', key, 'failedReason', ARGV[at + 4], 'stacktrace', ARGV[at + 5]) end
  if due > 0 then put_later(base, id, due, 0) else put_back(base, id, waiting_list(base), ARGV[at + 1] == '1') end
end

-- How many arguments each outcome has.
local arity = { completed = 4, failed = 8, again = 6 }
