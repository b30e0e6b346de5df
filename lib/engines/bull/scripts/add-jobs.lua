--[[
  Adds jobs of one or more queues in one step: all of them, or none if the server refuses. As Bull's addJob.

  KEYS[1]  any key of the first queue, so that a cluster can route the call
  ARGV     now, token, of cancelled jobs: keep in ms, most of them; '1' when a unique key that is taken refuses all jobs;
           then the jobs, of which those that are alike share what they have in common: base, name, opts, timestamp, delay,
           due ('0': at once), metadata ('': none), rules ('': none), number of jobs, then per job: id, data

  Effects  per new job: its hash; its id in `wait`, `high`, `low`, `paused` or `delayed`, in the indexes of its rules; the
           counter `id`; the event `waiting@token` or `delayed`. Of an id that is known: the event `duplicated@token` only
  Returns  per job: 1 when it was added, 0 when its id is known, the id of the job that has its unique key;
           or { 'refused', position of the job from 1, the id of the job that has its key }
]]
local now, token = tonumber(ARGV[1]), ARGV[2]
local keep = { tonumber(ARGV[3]), tonumber(ARGV[4]) }
local added = {}

local function count_up(key, by) return call('INCRBY', key, by) end
local function push(list, ...) call('LPUSH', list, ...) end
local function take_key(base, id, unique) return { with_rules().take_key(base, id, unique, now, keep) } end

local refusal = ARGV[5] == '1' and with_rules().find_refusal(6, now, keep)
if refusal then return refusal end

-- Whether none of these keys exists, as is the case mostly.
local function are_free(keys)
  local count = 0
  for first = 1, #keys, 5000 do count = count + call('EXISTS', unpack(keys, first, math.min(first + 4999, #keys))) end
  return count == 0
end

local at, list, channel, former = 6, nil, nil, nil
while at <= #ARGV do
  local base, name, opts, timestamp, delay = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local due, metadata, rules, count = tonumber(ARGV[at + 5]), ARGV[at + 6], read_rules(ARGV[at + 7]), tonumber(ARGV[at + 8])
  if base ~= former then list, channel, former = waiting_list(base), base .. 'waiting@' .. token, base end
  local order = step(count_up, base .. 'id', count) - count
  local keys, seen, ready, lanes = {}, {}, {}, {}
  for i = 1, count do keys[i] = base .. ARGV[at + 7 + 2 * i] end
  local is_free = count > 1 and are_free(keys)

  for i = 1, count do
    local id, key = ARGV[at + 7 + 2 * i], keys[i]
    local is_known = seen[id] or not is_free and call('EXISTS', key) == 1
    if is_known then
      local is_over, old_rules = is_outdated(base, id, now)
      if is_over then
        step(prune, base, now, 100)
        step(forget_finished, base, id, read_rules(old_rules))
        is_known = false
      end
    end
    local holder, after
    if not is_known and rules and rules.unique then
      holder, after = unpack(step(take_key, base, id, rules.unique), 1, 2)
    end
    if is_known then
      call('PUBLISH', base .. 'duplicated@' .. token, id)
      added[#added + 1] = 0
    elseif holder then
      call('PUBLISH', base .. 'duplicated@' .. token, holder)
      added[#added + 1] = holder
    else
      call('HSET', key, 'name', name, 'data', ARGV[at + 8 + 2 * i], 'opts', opts, 'timestamp', timestamp,
        'delay', delay, 'priority', '0')
      if metadata ~= '' then call('HSET', key, 'metadata', metadata) end
      if rules then call('HSET', key, 'rules', ARGV[at + 7]) end
      if after then call('HSET', key, 'after', after) end
      if rules then step(index, base, id, rules, now) end
      if due > 0 then step(put_later, base, id, due, order + i)
      elseif rules and rules.priority then
        lanes[#lanes + 1] = id
        step(push, base .. rules.priority, id)
      else ready[#ready + 1] = id end
      seen[id] = true
      added[#added + 1] = 1
    end
  end
  at = at + 9 + 2 * count

  -- One push for many: Lua can unpack only so many values at a time.
  for first = 1, #ready, 5000 do
    step(push, list, unpack(ready, first, math.min(first + 4999, #ready)))
  end
  for _, id in ipairs(ready) do call('PUBLISH', channel, id) end
  for _, id in ipairs(lanes) do call('PUBLISH', channel, id) end
  if #lanes > 0 then wake(base) end
end

return added
