--[[
  Function that puts a job of the active list into a worker's hands. As Bull's moveToActive.
]]

-- Locks the job, notes start and worker, and appends what the worker needs of it to `taken`.
local function take(base, id, now, lock, lock_ms, worker, taken)
  local key = base .. id
  local job = redis.pcall('HMGET', key, 'name', 'data', 'opts', 'timestamp', 'attemptsMade', 'stalledCounter', 'runs',
    'metadata', 'deid')
  -- Removed in the meantime, or overwritten by something that is no job: there is nothing to run.
  if job.err or not job[1] then
    call('LREM', base .. 'active', 1, id)
    return
  end
  call('SET', key .. ':lock', lock, 'PX', lock_ms)
  call('HSET', key, 'processedOn', now, 'worker', worker)
  call('PUBLISH', base .. 'active@' .. lock, id)
  taken[#taken + 1] = id
  for field = 1, 9 do taken[#taken + 1] = job[field] end
end
