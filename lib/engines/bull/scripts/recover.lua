--[[
  Gives jobs whose worker died to other workers, and removes finished jobs whose time is over. As Bull's
  moveStalledJobsToWait, except that the age of the lock decides and not the number of checks.

  A job of `active` without a lock was either being run when its lock expired (it has a `worker`): it goes back at once.
  Or a worker died between popping and locking it (no `worker`): it goes back at the second check that finds it so.

  KEYS[1]  `active` of the queue
  ARGV     base, now, '1' to check even if another worker did lately, shortest time between checks in ms
  Effects  `stalledCounter` and `runs` of a recovered job; it is first in line again; the event `stalled@`
  Returns  the ids of recovered jobs
]]
local base, now = ARGV[1], ARGV[2]
local recovered = {}
prune(base, tonumber(now), 1000)
if not call('SET', base .. 'stalled-check', now, 'PX', ARGV[4], 'NX') and ARGV[3] ~= '1' then return recovered end

-- Whatever stands there must not stop the recovery of the other jobs.
local function number(text)
  return text and tonumber(text) or 0
end

local function record_crash(key)
  local job = call('HMGET', key, 'attemptsMade', 'processedOn', 'worker', 'runs', 'stalledCounter')
  local attempt = number(job[1]) + 1
  local started_at = number(job[2]) > 0 and job[2] or now
  local run = '{"attempt":' .. string.format('%d', attempt) .. ',"startedAt":' .. started_at .. ',"endedAt":' .. now
    .. ',"worker":' .. cjson.encode(job[3]) .. ',"outcome":"crashed"}'
  call('HDEL', key, 'worker')
  call('HSET', key, 'runs', job[4] and job[4] .. ',' .. run or run)
  call('HSET', key, 'stalledCounter', number(job[5]) + 1)
end

local list = waiting_list(base)
for _, id in ipairs(call('LRANGE', KEYS[1], 0, -1)) do
  local key = base .. id
  if call('EXISTS', key .. ':lock') == 0 then
    local has_run = redis.pcall('HEXISTS', key, 'worker')
    if has_run == 1 or call('SADD', base .. 'stalled', id) == 0 then
      call('LREM', KEYS[1], 1, id)
      call('SREM', base .. 'stalled', id)
      if has_run == 1 then record_crash(key) end
      -- What is no job (any more) is dropped from the list instead of being given out for ever.
      if has_run == 1 or redis.pcall('HEXISTS', key, 'name') == 1 then
        put_back(base, id, list, true)
        call('PUBLISH', base .. 'stalled@', id)
        recovered[#recovered + 1] = id
      end
    end
  end
end
return recovered
