--[[
  Functions that the other scripts begin with. All keys are Bull's; the fields `worker`, `runs`, `metadata` and
  `keptUntil` of a job's hash, and the sorted set `kept`, are ours.

  base   the queue's key prefix with its last colon, e.g. `tasks:mail:`
  id     a job's id; its hash is `base .. id`
]]


-- A paused queue collects its jobs in another list, as Bull's getTargetQueueList has it.
local function waiting_list(base)
  if call('EXISTS', base .. 'meta-paused') == 1 then return base .. 'paused' end
  return base .. 'wait'
end

-- Makes a known job ready to be taken, last in line or first; a priority that a plain Bull producer set is kept.
local function put_back(base, id, list, is_first)
  local priority = tonumber(call('HGET', base .. id, 'priority') or '0') or 0
  if priority > 0 then
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

local function forget(base, id)
  call('DEL', base .. id, base .. id .. ':logs')
end

local function forget_finished(base, id)
  forget(base, id)
  call('ZREM', base .. 'completed', id)
  call('ZREM', base .. 'failed', id)
end

-- Whether a finished job's time is over. A job that was made anew under the same id has neither field.
local function is_outdated(base, id, now)
  local fields = call('HMGET', base .. id, 'finishedOn', 'keptUntil')
  return fields[1] and fields[2] and tonumber(fields[2]) <= now
end

-- Removes finished jobs whose time is over, at most `limit` of them.
local function prune(base, now, limit)
  local ids = call('ZRANGEBYSCORE', base .. 'kept', '-inf', now, 'LIMIT', 0, limit)
  for _, id in ipairs(ids) do
    if is_outdated(base, id, now) then forget_finished(base, id) end
    call('ZREM', base .. 'kept', id)
  end
end
