--[[
  Functions with which jobs claim unique keys.
]]

-- The job that has a unique key; nil when it is free. A key outlives its job only if it has a time of its own.
local function holder_of(base, unique, now, keep)
  local key = base .. 'unique:' .. unique.key
  local holder = redis.pcall('GET', key)
  if type(holder) ~= 'string' or expire_if_due(base, holder, now, keep) then return nil end
  if is_unfinished(base, holder) or type(unique['until']) == 'number' and call('PTTL', key) > 0 then return holder end
end

-- Whether a job may have its unique key again.
local function is_key_free(base, id, unique, now, keep)
  local holder = unique and holder_of(base, unique, now, keep)
  return not holder or holder == id
end

-- Takes the key of a new job. Answers the job that keeps it, or nil and the job whose end the new one has to wait for.
local function take_key(base, id, unique, now, keep)
  local holder, after = holder_of(base, unique, now, keep), nil
  if holder and unique.onConflict ~= 'replace' then return holder end
  if holder and is_unfinished(base, holder) then
    local job = call('HMGET', base .. holder, 'worker', 'runs', 'rules', 'after')
    local has_begun = job[1] or (job[2] and job[2] ~= '') or call('EXISTS', base .. holder .. ':lock') == 1
    if has_begun then
      after = holder
    else
      if job[4] ~= id and job[4] and is_unfinished(base, job[4]) then after = job[4] end
      local rules = read_rules(job[3])
      withdraw(base, holder, rules)
      stop(base, holder, 'cancelled', now, keep, rules)
    end
  end
  take_unique(base, id, unique)
  return nil, after
end

-- The first of the new jobs whose key is taken and must be free; they stand in ARGV from `at` on, as in add-jobs.lua.
local function find_refusal(at, now, keep)
  local position, taken = 0, {}
  while at <= #ARGV do
    local base, unique, count = ARGV[at], (read_rules(ARGV[at + 7]) or {}).unique, tonumber(ARGV[at + 8])
    for i = 1, count do
      position = position + 1
      local id = ARGV[at + 7 + 2 * i]
      if unique and call('EXISTS', base .. id) == 0 then
        local holder = taken[base .. unique.key] or holder_of(base, unique, now, keep)
        if holder and unique.onConflict == 'reject' then return { 'refused', position, holder } end
        taken[base .. unique.key] = unique.onConflict == 'replace' and id or holder or id
      end
    end
    at = at + 9 + 2 * count
  end
end
