--[[
  Functions that put a job of the active list into a worker's hands. As Bull's moveToActive.
]]

-- Appends what a worker needs of a job, six values, and answers its rules as text; nil for what is no job to be run:
-- removed in the meantime, cancelled, expired, or overwritten. A job that has not run yet, and has nothing special, has
-- exactly the six fields that are read first; of any other the last value is a list with the rest.
local function read_for_worker(key, id, taken)
  local job = redis.pcall('HMGET', key, 'name', 'data', 'opts', 'timestamp', 'delay', 'priority')
  if job.err or not job[1] then return nil end
  local rest = false
  if not job[5] or not job[6] or call('HLEN', key) ~= 6 then
    rest = call('HMGET', key, 'attemptsMade', 'stalledCounter', 'runs', 'metadata', 'deid', 'rules', 'finishedOn')
    if rest[7] then return nil end
  end
  local at = #taken
  taken[at + 1], taken[at + 2], taken[at + 3], taken[at + 4], taken[at + 5] = id, job[1], job[2], job[3], job[4]
  taken[at + 6] = rest
  return rest and rest[6] or ''
end

-- Locks a job, and notes start and worker. One that may not start leaves the active list again.
-- suspect_from: crashes from which a job is taken unbegun, with an empty worker
local function take(base, id, now, lock, lock_ms, worker, suspect_from, keep, taken, has_gone)
  local key, before = base .. id, #taken
  if has_gone and was_left(base, id) then
    call('LREM', base .. 'active', 1, id)
    return
  end
  local text = read_for_worker(key, id, taken)
  local rules = read_rules(text)
  -- Keys of another type than they should be must not keep the jobs that were taken before from their worker.
  local is_sound, may_start = true, true
  if rules then is_sound, may_start = pcall(step, with_rules().may_start, base, id, rules, tonumber(now), keep) end
  local may_run = text and (not is_sound or may_start)
  if not may_run then call('LREM', base .. 'active', 1, id) end
  -- Whoever holds a lock is running the job: what stands in `active` twice must not run twice.
  if not may_run or not call('SET', key .. ':lock', lock, 'PX', lock_ms, 'NX') then
    for last = #taken, before + 1, -1 do taken[last] = nil end
    return
  end
  local rest = taken[before + 6]
  if rest and (tonumber(rest[2] or 0) or 0) >= suspect_from then worker = '' end
  call('HSET', key, 'processedOn', now, 'worker', worker)
  call('PUBLISH', base .. 'active@' .. lock, id)
end
