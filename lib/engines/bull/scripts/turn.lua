--[[
  One turn of a worker: writes the outcomes of runs that ended, and takes jobs for its free slots. As Bull's
  moveToFinished, moveToDelayed, retryJob and moveToActive, for many jobs at a time.

  KEYS[1]  `wait` of the queue
  ARGV     base, now, lock value for the jobs taken, lock duration in ms, worker name, number of jobs to take,
           number of ids that a blocking read has moved to `active`, those ids,
           then per ended run: id, its lock value, kind (`completed`, `failed`, `again`), the kind's arguments (finish.lua)

  Effects  as finish.lua and take.lua say; the event `drained` when the last waiting job is gone
  Returns  { ids whose lock was lost, so that their outcome was dropped; ten values per job taken: id and the fields
           read in take.lua }
]]
local base, now, lock, lock_ms, worker = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local wanted, adopted = tonumber(ARGV[6]), tonumber(ARGV[7])
local lost, taken = {}, {}
local at = 8 + adopted

while at <= #ARGV do
  local id, kind = ARGV[at], ARGV[at + 2]
  if release(base, id, ARGV[at + 1]) then finish[kind](base, id, at + 3, now) else lost[#lost + 1] = id end
  at = at + 3 + arity[kind]
end

for i = 8, 7 + adopted do
  local id = ARGV[i]
  call('SREM', base .. 'stalled', id)
  -- A check for dead workers may have given it away in the meantime.
  if call('LPOS', base .. 'active', id) and call('EXISTS', base .. id .. ':lock') == 0 then
    take(base, id, now, lock, lock_ms, worker, taken)
  end
end

for _ = 1, wanted do
  local id = call('RPOPLPUSH', base .. 'wait', base .. 'active')
  if not id then break end
  take(base, id, now, lock, lock_ms, worker, taken)
end

-- Jobs that a plain Bull producer gave a priority are listed a second time, until they are taken.
if #taken > 0 and call('EXISTS', base .. 'priority') == 1 then
  for i = 1, #taken, 10 do call('ZREM', base .. 'priority', taken[i]) end
end
-- As Bull: told when a job has ended and nothing waits, not when the last one is taken.
if #ARGV > 7 + adopted and #taken == 0 and call('LLEN', base .. 'wait') == 0 then
  call('PUBLISH', base .. 'drained', '')
end

return { lost, taken }
