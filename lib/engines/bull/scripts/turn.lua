--[[
  One turn of a worker: writes the outcomes of runs that ended, and takes jobs for its free slots. As Bull's
  moveToFinished, moveToDelayed, retryJob and moveToActive, for many jobs at a time.

  KEYS[1]  `wait` of the queue
  ARGV     base, now, lock value for the jobs taken, lock duration in ms, worker name,
           of expired jobs: keep in ms, most of them; '1' when jobs of low priority may be taken, number of jobs to take,
           number of ids that a blocking read has moved to `active`, those ids,
           then per ended run: id, its lock value, kind (`completed`, `failed`, `again`, `declined`), the kind's arguments
           (finish.lua)

  Effects  as finish.lua and take.lua say; the event `drained` when the last waiting job is gone
  Returns  { ids whose lock was lost, so that their outcome was dropped; eleven values per job taken: id and the fields
           read in take.lua; 1 when it stopped before it had enough though there may be more, else 0 }
]]
local base, now, lock, lock_ms, worker = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local keep = { tonumber(ARGV[6]), tonumber(ARGV[7]) }
local wanted, adopted = tonumber(ARGV[9]), tonumber(ARGV[10])
local lost, taken = {}, {}
local at = 11 + adopted

while at <= #ARGV do
  local id, kind = ARGV[at], ARGV[at + 2]
  if release(base, id, ARGV[at + 1]) then finish[kind](base, id, at + 3, now, keep) else lost[#lost + 1] = id end
  at = at + 3 + arity[kind]
end

-- The lists to take from, in order. Most queues have one.
local lists = { base .. 'wait' }
if wanted + adopted > 0 and call('EXISTS', base .. 'high', base .. 'low') > 0
  and call('EXISTS', base .. 'meta-paused') == 0 then
  lists = { base .. 'high', base .. 'wait', ARGV[8] == '1' and base .. 'low' or nil }
end

local has_gone = wanted + adopted > 0 and call('EXISTS', base .. 'gone') == 1

for i = 11, 10 + adopted do
  local id = ARGV[i]
  call('SREM', base .. 'stalled', id)
  if has_gone and was_left(base, id) then
    call('LREM', base .. 'active', 1, id)
  -- A check for dead workers may have given it away in the meantime.
  elseif call('LPOS', base .. 'active', id) and call('EXISTS', base .. id .. ':lock') == 0 then
    if #lists > 1 and call('EXISTS', lists[1]) == 1 then
      -- The blocking read sees only `wait`: what is of high priority goes first.
      call('LREM', base .. 'active', -1, id)
      call('RPUSH', base .. 'wait', id)
      wanted = wanted + 1
    else
      take(base, id, now, lock, lock_ms, worker, keep, taken, false)
    end
  end
end

-- Jobs that may not start are put elsewhere; after so many of them the server gets a rest.
local enough, looks = #taken + wanted * 11, wanted + 200
for _, list in ipairs(lists) do
  while #taken < enough and looks > 0 do
    -- As many RPOPLPUSH would, in two calls; one by one where an entry may be followed by another of the same job.
    local ids = call('RPOP', list, has_gone and 1 or math.min((enough - #taken) / 11, looks, 1000))
    if not ids or #ids == 0 then break end
    call('LPUSH', base .. 'active', unpack(ids))
    looks = looks - #ids
    for _, id in ipairs(ids) do take(base, id, now, lock, lock_ms, worker, keep, taken, has_gone) end
  end
end

-- Jobs that a plain Bull producer gave a priority are listed a second time, until they are taken.
if #taken > 0 and call('EXISTS', base .. 'priority') == 1 then
  for i = 1, #taken, 11 do call('ZREM', base .. 'priority', taken[i]) end
end
-- As Bull: told when a job has ended and nothing waits, not when the last one is taken.
if #ARGV > 10 + adopted and #taken == 0 and call('LLEN', base .. 'wait') == 0 then
  call('PUBLISH', base .. 'drained', '')
end

local is_cut = looks == 0 or #lists == 2 and #taken < enough and call('EXISTS', base .. 'low') == 1
return { lost, taken, is_cut and 1 or 0 }
