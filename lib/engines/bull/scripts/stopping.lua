--[[
  Functions that end jobs which are not to run any more: cancelled, expired, removed.
]]

-- Takes a unique key, whoever has it.
local function take_unique(base, id, unique)
  local key, time = base .. 'unique:' .. unique.key, unique['until']
  if type(time) == 'number' then call('SET', key, id, 'PX', math.max(1, math.ceil(time))) else call('SET', key, id) end
end

-- Gives a unique key back, unless another job has it by now. It goes to the job whose end this one waited for, if that
-- one goes on and was to have the key until its end.
local function free_unique(base, id, unique)
  local key = base .. 'unique:' .. unique.key
  if call('GET', key) ~= id then return end
  call('DEL', key)
  local after = call('HGET', base .. id, 'after')
  if not after or not is_unfinished(base, after) then return end
  local former = (read_rules(call('HGET', base .. after, 'rules')) or {}).unique
  if former and former.key == unique.key and former['until'] == 'finished' then call('SET', key, after) end
end

-- Notes how the job of a schedule's last tick ended (tick-decisions.lua).
local function note_end(base, id, schedule, state)
  local key = base .. 'schedule:' .. schedule.name
  if redis.pcall('HGET', key, 'job') == id then call('HSET', key, 'ended', state) end
end

-- What the rules of an ended job held up. A key with a time of its own is held on. state: how it ended, where it was kept
local function let_go(base, id, rules, state)
  if not rules then return end
  if rules.schedule and state then note_end(base, id, rules.schedule, state) end
  if rules.concurrency then free_slot(base, id, rules.concurrency) end
  if rules.expiresAt then call('ZREM', base .. 'expiring', id) end
  if not rules.unique and not rules.schedule then return end
  if rules.unique and type(rules.unique['until']) ~= 'number' then free_unique(base, id, rules.unique) end
  repeat
    local successor = next_parked(base, 'after:' .. id)
    if successor then put_back(base, successor, waiting_list(base), true) end
  until not successor
end

-- Takes a job that is not running out of wherever it waits.
local function withdraw(base, id, rules)
  local found = call('ZREM', base .. 'delayed', id) + call('ZREM', base .. 'paced', id)
  if not unpark(base, id) and found == 0 then leave_entry(base, id) end
  call('ZREM', base .. 'priority', id)
  if rules and rules.rate then drop_reservation(base, id, rules.rate) end
end

-- Gives back what a job held that will not run.
local function release_all(base, id, rules, state)
  free_debounce(base, call('HGET', base .. id, 'deid') or '')
  if rules and rules.unique then free_unique(base, id, rules.unique) end
  let_go(base, id, rules, state)
end

-- Ends a job in state `cancelled` or `expired`. keep: { age in ms, most jobs of this state }; lock: of the run, if any
local function stop(base, id, state, now, keep, rules, lock)
  release_all(base, id, rules, state)
  call('HSET', base .. id, 'stopped', state)
  if keep_ended(base, state, id, now, keep[2] > 0 and keep[1] or 0, rules) then trim(base, state, state, keep[2]) end
  publish_end(base, state, id, nil, nil, lock)
end

-- Ends a job whose time to start is over; false for any other.
local function expire_if_due(base, id, now, keep)
  if not is_unfinished(base, id) then return false end
  local job = call('HMGET', base .. id, 'worker', 'rules')
  local rules = read_rules(job[2])
  if not rules or not rules.expiresAt or rules.expiresAt > now then return false end
  if job[1] or call('EXISTS', base .. id .. ':lock') == 1 then return false end
  withdraw(base, id, rules)
  -- It has ended then, whenever somebody notices.
  stop(base, id, 'expired', rules.expiresAt, keep, rules)
  return true
end

-- Ends all jobs whose time to start is over, at most 100 of them.
local function sweep_expired(base, now, keep)
  for _, id in ipairs(call('ZRANGEBYSCORE', base .. 'expiring', '-inf', now, 'LIMIT', 0, 100)) do
    call('ZREM', base .. 'expiring', id)
    expire_if_due(base, id, now, keep)
  end
end

-- Puts a run that did not end by itself on record, if it had begun.
local function record_run(base, id, outcome, now)
  local function number(text) return text and tonumber(text) or 0 end
  local job = call('HMGET', base .. id, 'attemptsMade', 'processedOn', 'worker', 'runs')
  call('HDEL', base .. id, 'worker')
  if job[3] == '' then return end
  local started_at = number(job[2]) > 0 and job[2] or string.format('%.0f', now)
  local run = '{"attempt":' .. string.format('%d', number(job[1]) + 1) .. ',"startedAt":' .. started_at
    .. ',"endedAt":' .. string.format('%.0f', now) .. ',"worker":' .. cjson.encode(job[3] or '')
    .. ',"outcome":"' .. outcome .. '"}'
  call('HSET', base .. id, 'runs', job[4] and job[4] ~= '' and job[4] .. ',' .. run or run)
end
