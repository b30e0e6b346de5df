--[[
  Functions that put a job of the active list into a worker's hands. As Bull's moveToActive.
]]

-- Appends what a worker needs of a job; false for what is no job: removed in the meantime, or overwritten.
local function read_for_worker(key, id, taken)
  local job = redis.pcall('HMGET', key, 'name', 'data', 'opts', 'timestamp', 'attemptsMade', 'stalledCounter', 'runs',
    'metadata', 'deid')
  if job.err or not job[1] then return false end
  taken[#taken + 1] = id
  for field = 1, 9 do taken[#taken + 1] = job[field] end
  return true
end

-- Locks a job, and notes start and worker.
local function take(base, id, now, lock, lock_ms, worker, taken)
  local key = base .. id
  if not read_for_worker(key, id, taken) then
    call('LREM', base .. 'active', 1, id)
    return
  end
  call('SET', key .. ':lock', lock, 'PX', lock_ms)
  call('HSET', key, 'processedOn', now, 'worker', worker)
  call('PUBLISH', base .. 'active@' .. lock, id)
end
