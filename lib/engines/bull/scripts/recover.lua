--[[
  Gives jobs whose worker died to other workers. As Bull's moveStalledJobsToWait, except that the age of the lock
  decides and not the number of checks.

  A job of `active` without a lock was either being run when its lock expired (it has a `worker`): it goes back at once;
  an empty `worker` says that its run had not begun, so that this was no crash of it.
  Or a worker died between popping and locking it (no `worker`): it goes back at the second check that finds it so.

  KEYS[1]  `active` of the queue
  ARGV     base, now, '1' to check even if another worker did lately, shortest time between checks in ms
  Effects  `stalledCounter` and `runs` of a recovered job; it is first in line again, and keeps its slot; the event
           `stalled@`; what is left in `arriving` is first in line, too; slots and gates whose job is gone are opened
  Returns  the ids of recovered jobs
]]
local base, now = ARGV[1], tonumber(ARGV[2])
local recovered = {}
local check = base .. 'stalled-check'
-- One without an end would keep everybody from checking for ever.
if call('PTTL', check) == -1 then call('DEL', check) end
if not call('SET', check, now, 'PX', ARGV[4], 'NX') and ARGV[3] ~= '1' then return recovered end

local list = waiting_list(base)
local function is_to_wait(id)
  return not was_left(base, id) and is_unfinished(base, id) and not stands_elsewhere(base, id)
end

-- The server went down between a read and the script behind it, the script was refused and its worker died, or this comes
-- in between.
local arriving = call('LRANGE', base .. 'arriving', 0, -1)
call('DEL', base .. 'arriving')
for _, id in ipairs(arriving) do
  if is_to_wait(id) then put_back(base, id, list, true) end
end

for _, id in ipairs(call('LRANGE', KEYS[1], 0, -1)) do
  local key = base .. id
  if call('EXISTS', key .. ':lock') == 0 then
    local worker = redis.pcall('HGET', key, 'worker')
    local was_taken = type(worker) == 'string'
    if was_taken or call('SADD', base .. 'stalled', id) == 0 then
      call('LREM', KEYS[1], 1, id)
      call('SREM', base .. 'stalled', id)
      if was_taken then
        -- Whatever stands there must not stop the recovery of the other jobs.
        local crashes = tonumber(call('HGET', key, 'stalledCounter') or '0') or 0
        with_rules().record_run(base, id, 'crashed', now)
        if worker ~= '' then call('HSET', key, 'stalledCounter', crashes + 1) end
        local rules = read_rules(call('HGET', key, 'rules'))
        if rules and rules.expiresAt then call('ZADD', base .. 'expiring', rules.expiresAt, id) end
      end
      -- What is no job (any more), or waits elsewhere, is dropped from the list instead of being given out for ever.
      if was_taken or is_to_wait(id) then
        put_back(base, id, list, true)
        call('PUBLISH', base .. 'stalled@', id)
        recovered[#recovered + 1] = id
      end
    end
  end
end

-- A tool may have removed a job that held a slot, or for whose end another one waits.
for _, limit_key in ipairs(call('SRANDMEMBER', base .. 'limits', 20)) do
  for _, id in ipairs(call('SRANDMEMBER', base .. 'slots:' .. limit_key, 20)) do
    if not is_unfinished(base, id) then call('SREM', base .. 'slots:' .. limit_key, id) end
  end
end
for _, id in ipairs(call('ZRANGE', base .. 'parked', 0, 99)) do
  local job = redis.pcall('HMGET', base .. id, 'gate', 'rules', 'after')
  local rules = not job.err and read_rules(job[2])
  if not rules or not job[1] then
    call('ZREM', base .. 'parked', id)
  elseif job[3] and job[1] == 'after:' .. job[3] and not is_unfinished(base, job[3]) then
    with_rules().unpark(base, id)
    put_back(base, id, list, true)
  else
    if rules.concurrency then
      -- Whoever waits for slots has their holders looked at.
      call('SADD', base .. 'limits', rules.concurrency.key)
      with_rules().fill_slots(base, rules.concurrency)
    end
    if rules.rate then with_rules().reserve_next(base, rules.rate) end
  end
end
return recovered
