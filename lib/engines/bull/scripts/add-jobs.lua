--[[
  Adds jobs of one or more queues in one step: all of them, or none if the server refuses. As Bull's addJob.

  KEYS[1]  any key of the first queue, so that a cluster can route the call
  ARGV     now, token, of cancelled jobs: keep in ms, most of them; '1' when a unique key that is taken refuses all jobs;
           then per queue: base, number of jobs, then per job:
           id, name, data, opts, timestamp, delay, due ('0': at once), metadata ('': none), rules ('': none)

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

local at = 6
while at <= #ARGV do
  local base, count = ARGV[at], tonumber(ARGV[at + 1])
  local list = waiting_list(base)
  local order = step(count_up, base .. 'id', count) - count
  local ready, lanes = {}, {}
  at = at + 2

  for _ = 1, count do
    local id, due, rules = ARGV[at], tonumber(ARGV[at + 6]), read_rules(ARGV[at + 8])
    local key = base .. id
    order = order + 1
    local is_known = call('EXISTS', key) == 1
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
      call('HSET', key, 'name', ARGV[at + 1], 'data', ARGV[at + 2], 'opts', ARGV[at + 3],
        'timestamp', ARGV[at + 4], 'delay', ARGV[at + 5], 'priority', '0')
      if ARGV[at + 7] ~= '' then call('HSET', key, 'metadata', ARGV[at + 7]) end
      if rules then call('HSET', key, 'rules', ARGV[at + 8]) end
      if after then call('HSET', key, 'after', after) end
      if rules then step(index, base, id, rules, now) end
      if due > 0 then step(put_later, base, id, due, order)
      elseif rules and rules.priority then
        lanes[#lanes + 1] = id
        step(push, base .. rules.priority, id)
      else ready[#ready + 1] = id end
      added[#added + 1] = 1
    end
    at = at + 9
  end

  -- One push for many: Lua can unpack only so many values at a time.
  for first = 1, #ready, 5000 do
    step(push, list, unpack(ready, first, math.min(first + 4999, #ready)))
  end
  for _, id in ipairs(ready) do call('PUBLISH', base .. 'waiting@' .. token, id) end
  for _, id in ipairs(lanes) do call('PUBLISH', base .. 'waiting@' .. token, id) end
  if #lanes > 0 then wake(base) end
end

return added
