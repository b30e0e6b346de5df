--[[
  Adds jobs of one or more queues in one step: all of them, or none if the server refuses. As Bull's addJob.

  KEYS[1]  any key of the first queue, so that a cluster can route the call
  ARGV     now, token, then per queue: base, number of jobs, then per job:
           id, name, data, opts, timestamp, delay, due ('0': at once), metadata ('': none)

  Effects  per new job: its hash; its id in `wait`, `paused` or `delayed`; the counter `id`;
           the event `waiting@token` or `delayed`. Of an id that is known: the event `duplicated@token` only
  Returns  per job: 1 when it was added, 0 when its id is known
]]
local now, token = tonumber(ARGV[1]), ARGV[2]
local added = {}
local at = 3

while at <= #ARGV do
  local base, count = ARGV[at], tonumber(ARGV[at + 1])
  local list = waiting_list(base)
  local order = call('INCRBY', base .. 'id', count) - count
  local ready = {}
  at = at + 2

  for _ = 1, count do
    local id, due = ARGV[at], tonumber(ARGV[at + 6])
    local key = base .. id
    order = order + 1
    local is_known = call('EXISTS', key) == 1
    if is_known and is_outdated(base, id, now) then
      prune(base, now, 1000)
      forget_finished(base, id)
      is_known = false
    end
    if is_known then
      call('PUBLISH', base .. 'duplicated@' .. token, id)
      added[#added + 1] = 0
    else
      call('HSET', key, 'name', ARGV[at + 1], 'data', ARGV[at + 2], 'opts', ARGV[at + 3],
        'timestamp', ARGV[at + 4], 'delay', ARGV[at + 5], 'priority', '0')
      if ARGV[at + 7] ~= '' then call('HSET', key, 'metadata', ARGV[at + 7]) end
      if due > 0 then put_later(base, id, due, order) else ready[#ready + 1] = id end
      added[#added + 1] = 1
    end
    at = at + 8
  end

  -- One push for many: Lua can unpack only so many values at a time.
  for first = 1, #ready, 5000 do
    call('LPUSH', list, unpack(ready, first, math.min(first + 4999, #ready)))
  end
  for _, id in ipairs(ready) do call('PUBLISH', base .. 'waiting@' .. token, id) end
end

return added
