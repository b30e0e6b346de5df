--[[
  Functions that write the outcome of a run. Each takes the position of its arguments in ARGV; the last one of these is
  the job's rules ('': none), but for `gone`.
]]

local finish = {}

-- What is to be deleted at the end of the turn.
local gone = {}

-- result ('' : none); nothing of the job is kept, and it has neither rules nor a debounce key
function finish.gone(base, id, at)
  local key = base .. id
  gone[#gone + 1] = key
  gone[#gone + 1] = key .. ':logs'
  publish_end(base, 'completed', id, ARGV[at] ~= '' and ARGV[at])
end

-- result ('' : none), keep in ms, runs, debounce id, rules
function finish.completed(base, id, at, now)
  local result, rules = ARGV[at], read_rules(ARGV[at + 4])
  if result == '' then result = nil end
  if rules then with_rules().let_go(base, id, rules, 'completed') end
  if keep_ended(base, 'completed', id, now, tonumber(ARGV[at + 1]), rules) then
    if result then call('HSET', base .. id, 'runs', ARGV[at + 2], 'returnvalue', result)
    else call('HSET', base .. id, 'runs', ARGV[at + 2]) end
  end
  free_debounce(base, ARGV[at + 3])
  publish_end(base, 'completed', id, result)
end

-- reason, error as JSON, stack traces as JSON, attempts made, keep in ms, most failed jobs of the task, runs,
-- debounce id, rules
function finish.failed(base, id, at, now)
  local keep, count, rules = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]), read_rules(ARGV[at + 8])
  if rules then with_rules().let_go(base, id, rules, 'failed') end
  if keep_ended(base, 'failed', id, now, count > 0 and keep or 0, rules) then
    call('HSET', base .. id, 'failedReason', ARGV[at], 'stacktrace', ARGV[at + 2], 'attemptsMade', ARGV[at + 3],
      'runs', ARGV[at + 6])
    local of_task = 'failed:' .. call('HGET', base .. id, 'name')
    call('ZADD', base .. of_task, now, id)
    trim(base, of_task, 'failed', count)
  end
  free_debounce(base, ARGV[at + 7])
  publish_end(base, 'failed', id, ARGV[at], ARGV[at + 1])
end

-- due in ms since the epoch ('0': at once), '1' when first in line, attempts made, runs, reason, stack traces as JSON,
-- new rules ('': as before), rules
function finish.again(base, id, at, now, keep)
  local key, due, rules = base .. id, tonumber(ARGV[at]), read_rules(ARGV[at + 7])
  call('HDEL', key, 'worker')
  call('HSET', key, 'attemptsMade', ARGV[at + 2], 'runs', ARGV[at + 3])
  if ARGV[at + 5] ~= '' then call('HSET', key, 'failedReason', ARGV[at + 4], 'stacktrace', ARGV[at + 5]) end
  if rules and rules.concurrency then with_rules().free_slot(base, id, rules.concurrency) end
  if ARGV[at + 6] ~= '' then
    forget_tags(base, id, rules)
    rules = read_rules(ARGV[at + 6])
    call('HSET', key, 'rules', ARGV[at + 6])
    index(base, id, rules, now)
  end
  if rules and rules.expiresAt then
    if rules.expiresAt <= now then return with_rules().stop(base, id, 'expired', rules.expiresAt, keep, rules) end
    call('ZADD', base .. 'expiring', rules.expiresAt, id)
  end
  if due > 0 then put_later(base, id, due, 0) else put_back(base, id, waiting_list(base), ARGV[at + 1] == '1') end
end

-- As `again`, for a run that never began.
function finish.declined(base, id, at, now, keep)
  local rules = read_rules(ARGV[at + 7])
  if rules and rules.rate then with_rules().take_back_start(base, id, rules.rate) end
  finish.again(base, id, at, now, keep)
end

-- How many arguments each outcome has.
local arity = { gone = 1, completed = 5, failed = 9, again = 8, declined = 8 }
