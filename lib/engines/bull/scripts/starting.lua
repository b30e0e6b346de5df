--[[
  Functions that begin with a job that has rules: whether it may start, and how it starts afresh.
]]

-- Whether the rules let a job start now. If not, it waits elsewhere for what it lacks, or has expired.
local function may_start(base, id, rules, now, keep)
  if rules.expiresAt and rules.expiresAt <= now then
    if rules.rate then drop_reservation(base, id, rules.rate) end
    stop(base, id, 'expired', rules.expiresAt, keep, rules)
    return false
  end
  local after = (rules.unique or rules.schedule) and call('HGET', base .. id, 'after')
  if after and after ~= id and is_unfinished(base, after) then
    park(base, id, 'after:' .. after, rules)
    return false
  end
  if after then call('HDEL', base .. id, 'after') end
  if rules.concurrency and is_full(base, id, rules.concurrency) then
    -- A start that it cannot use yet is for others.
    if rules.rate then drop_reservation(base, id, rules.rate) end
    park(base, id, 'slots:' .. rules.concurrency.key, rules)
    return false
  end
  if rules.rate and not passes_rate(base, id, rules) then
    if rules.concurrency then free_slot(base, id, rules.concurrency) end
    return false
  end
  if rules.concurrency then take_slot(base, id, rules.concurrency) end
  if rules.unique and rules.unique['until'] == 'started' then free_unique(base, id, rules.unique) end
  return true
end

-- Takes off what an ended job had to say: no attempts made, no crashes, no expiry; the runs stay on record.
local function make_fresh(base, id, rules)
  call('HDEL', base .. id, 'finishedOn', 'keptUntil', 'stopped', 'failedReason', 'stacktrace', 'returnvalue',
    'attemptsMade', 'stalledCounter', 'progress')
  local after = call('HGET', base .. id, 'after')
  if after and not is_unfinished(base, after) then call('HDEL', base .. id, 'after') end
  if rules and rules.expiresAt then
    rules.expiresAt = nil
    call('HSET', base .. id, 'rules', cjson.encode(rules))
  end
end
