--[[
  One turn of a worker: writes the outcomes of runs that ended, and takes jobs for its free slots. As Bull's
  moveToFinished, moveToDelayed, retryJob and moveToActive, for many jobs at a time.

  KEYS[1]  `wait` of the queue
  ARGV     base, now, lock value for the jobs taken, lock duration in ms, worker name,
           of expired jobs: keep in ms, most of them; '1' when jobs of low priority may be taken, crashes from which a job
           is taken unbegun, number of jobs to take, number of ids that blocking reads have moved, those ids,
           then per ended run: id, its lock value, kind (`gone`, `completed`, `failed`, `again`, `declined`), the kind's
           arguments (finish.lua)

  Effects  as finish.lua and take.lua say; the event `drained` when the last waiting job is gone
  Returns  { ids whose lock was lost, so that their outcome was dropped; six values per job taken: id and what
           take.lua reads; 1 when it stopped before it had enough though there may be more, else 0 }
]]
local base, now, lock, lock_ms, worker = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local keep = { tonumber(ARGV[6]), tonumber(ARGV[7]) }
local suspect_from, wanted, adopted = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local lost, taken = {}, {}

if #ARGV > 11 + adopted then
  local places, at, problem = {}, 12 + adopted, nil
  while at <= #ARGV do
    places[#places + 1] = at
    at = at + 3 + arity[ARGV[at + 2]]
  end
  local released, time = step(release, base, places), tonumber(now)
  for _, place in ipairs(places) do
    local id = ARGV[place]
    if released[place] then
      -- The others have given their locks back, too, so that one of them must not keep them from being written.
      local is_written, why = pcall(step, finish[ARGV[place + 2]], base, id, place + 3, time, keep)
      if not is_written then problem = why end
    else
      lost[#lost + 1] = id
    end
  end
  in_parts(gone, function(...) return call('DEL', ...) end)
  if problem then error(problem) end
end

local function push(list, ids) call('LPUSH', list, unpack(ids)) end

local function fill()
  local is_looking = wanted + adopted > 0
  local is_special = is_looking and call('EXISTS', base .. 'high', base .. 'low', base .. 'gone', base .. 'priority') > 0
  -- The lists to take from, in order. Most queues have one.
  local lists = { base .. 'wait' }
  if is_special and call('EXISTS', base .. 'high', base .. 'low') > 0 and call('EXISTS', base .. 'meta-paused') == 0 then
    lists = { base .. 'high', base .. 'wait', ARGV[8] == '1' and base .. 'low' or nil }
  end

  local has_gone = is_special and call('EXISTS', base .. 'gone') == 1
  if adopted > 0 then call('SREM', base .. 'stalled', unpack(ARGV, 12, 11 + adopted)) end
  for i = 12, 11 + adopted do
    local id = ARGV[i]
    -- It is still there where arrive.lua has failed.
    if call('LREM', base .. 'arriving', 1, id) > 0 then call('LPUSH', base .. 'active', id) end
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
        take(base, id, now, lock, lock_ms, worker, suspect_from, keep, taken, false)
      end
    end
  end

  -- Jobs that may not start are put elsewhere; after so many of them the server gets a rest.
  local enough, looks = #taken + wanted * 6, wanted + 200
  for _, list in ipairs(lists) do
    while #taken < enough and looks > 0 do
      -- As many RPOPLPUSH would, in two calls; one by one where an entry may be followed by another of the same job.
      local ids = call('RPOP', list, has_gone and 1 or math.min((enough - #taken) / 6, looks, 1000))
      if not ids or #ids == 0 then break end
      step(push, base .. 'active', ids)
      looks = looks - #ids
      for _, id in ipairs(ids) do take(base, id, now, lock, lock_ms, worker, suspect_from, keep, taken, has_gone) end
    end
  end

  -- Jobs that a plain Bull producer gave a priority are listed a second time, until they are taken.
  if is_special and #taken > 0 and call('EXISTS', base .. 'priority') == 1 then
    for i = 1, #taken, 6 do call('ZREM', base .. 'priority', taken[i]) end
  end
  -- As Bull: told when a job has ended and nothing waits, not when the last one is taken.
  if #ARGV > 11 + adopted and #taken == 0 and call('LLEN', base .. 'wait') == 0 then
    call('PUBLISH', base .. 'drained', '')
  end

  return looks == 0 or #lists == 2 and #taken < enough and call('EXISTS', base .. 'low') == 1
end

return { lost, taken, step(fill) and 1 or 0 }
