--[[
  Functions for jobs that must wait for another one. Such a job is parked behind a gate, out of the way of all other jobs,
  until the gate lets it through; nobody asks for it meanwhile.

  parked            every parked job; parked:<gate> those behind one gate, by priority and then by arrival
  gates             `slots:<key>` (concurrency), `rate:<key>`, `after:<id>` (the end of that job)
  slots:<key>       the jobs that hold a slot: they run, or wait with a slot that was handed to them; `limits`: the keys
  parks             a counter
]]

local rank = { high = 0, low = 2 }

local function park(base, id, gate, rules)
  local place = (rank[rules.priority] or 1) * 1e15 + call('INCR', base .. 'parks')
  call('ZADD', base .. 'parked:' .. gate, place, id)
  call('ZADD', base .. 'parked', place, id)
  call('HSET', base .. id, 'gate', gate)
end

-- Takes a parked job out of its line; false when it is not parked.
local function unpark(base, id)
  local gate = call('HGET', base .. id, 'gate')
  if not gate then return false end
  call('HDEL', base .. id, 'gate')
  call('ZREM', base .. 'parked:' .. gate, id)
  return call('ZREM', base .. 'parked', id) == 1
end

-- The first behind a gate, taken out of the line; nil when nobody waits there.
local function next_parked(base, gate)
  while true do
    local id = call('ZPOPMIN', base .. 'parked:' .. gate)[1]
    if not id then return nil end
    call('ZREM', base .. 'parked', id)
    -- One that a tool has removed has no gate any more.
    if redis.pcall('HDEL', base .. id, 'gate') == 1 then return id end
  end
end

-- Hands free slots to those that wait for them; they are first in line.
local function fill_slots(base, limit)
  local slots = base .. 'slots:' .. limit.key
  while true do
    local head = call('ZRANGE', base .. 'parked:slots:' .. limit.key, 0, 0)[1]
    local text = head and redis.pcall('HGET', base .. head, 'rules')
    -- What the next one says counts: another version of the app may have said something else.
    local next = type(text) == 'string' and (read_rules(text) or {}).concurrency or limit
    if not head or call('SCARD', slots) >= next.max then break end
    local id = next_parked(base, 'slots:' .. limit.key)
    if not id then break end
    call('SADD', slots, id)
    put_back(base, id, waiting_list(base), true)
  end
  if call('EXISTS', slots) == 0 then call('SREM', base .. 'limits', limit.key) end
end

local function take_slot(base, id, limit)
  call('SADD', base .. 'slots:' .. limit.key, id)
  call('SADD', base .. 'limits', limit.key)
end

local function free_slot(base, id, limit)
  if call('SREM', base .. 'slots:' .. limit.key, id) == 1 then fill_slots(base, limit) end
end

local function is_full(base, id, limit)
  local slots = base .. 'slots:' .. limit.key
  return call('SISMEMBER', slots, id) == 0 and call('SCARD', slots) >= limit.max
end
