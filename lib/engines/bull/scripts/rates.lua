--[[
  Functions for rates. A job that may not start yet reserves a start to come, or is parked until there is one to reserve.

  rate:<key>        the last starts
  reserved:<key>    the jobs that reserved a start, by planned start; `paced`: all of these
                    Starts and reservations are at most `max`: a reservation takes the place of an earlier start
]]

-- Redis' own: a rate holds whatever the clocks of the workers say.
local function clock()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A run begins a little after its start is written, later in a busy worker than in an idle one: without a margin two
-- starts could be nearer than `per`.
local function spacing(rate)
  return rate.per + math.min(rate.per / 20, 50)
end

local function note_start(base, rate, at)
  call('ZADD', base .. 'rate:' .. rate.key, at, call('INCR', base .. 'parks'))
  call('PEXPIRE', base .. 'rate:' .. rate.key, math.ceil(spacing(rate)))
end

local function reserve(base, id, rate, at)
  call('ZADD', base .. 'reserved:' .. rate.key, at, id)
  call('ZADD', base .. 'paced', at, id)
  call('PUBLISH', base .. 'delayed', math.ceil(at))
end

-- A tool may have removed a job that reserved a start. Answers its id and planned start, or nil.
local function take_dead_reservation(base, rate)
  local held = call('ZRANGE', base .. 'reserved:' .. rate.key, 0, 9, 'WITHSCORES')
  for i = 1, #held, 2 do
    if not is_unfinished(base, held[i]) then
      call('ZREM', base .. 'reserved:' .. rate.key, held[i])
      return { held[i], held[i + 1] }
    end
  end
end

-- The instant at which the next start is allowed: now, later, or nil while all places are reserved. It takes the place.
local function next_start(base, rate, now)
  local starts = base .. 'rate:' .. rate.key
  local surplus = call('ZCARD', starts) + call('ZCARD', base .. 'reserved:' .. rate.key) - rate.max
  if surplus < 0 then return now end
  -- The limit may have been lowered by a deploy.
  if surplus > 0 then call('ZREMRANGEBYRANK', starts, 0, surplus - 1) end
  local first = call('ZPOPMIN', starts)
  if not first[1] then first = take_dead_reservation(base, rate) end
  return first and math.max(now, tonumber(first[2]) + spacing(rate))
end

-- Lets those that wait for a start reserve the ones that are to come.
local function reserve_next(base, rate)
  local gate = 'rate:' .. rate.key
  while call('EXISTS', base .. 'parked:' .. gate) == 1 do
    local at = next_start(base, rate, clock())
    if not at then return end
    local id = next_parked(base, gate)
    if not id then return note_start(base, rate, at - spacing(rate)) end
    reserve(base, id, rate, at)
  end
end

-- Whether a job may start by its rate; if not, it has reserved a start, or is parked until it can.
local function passes_rate(base, id, rules)
  local rate, now = rules.rate, clock()
  local reserved = base .. 'reserved:' .. rate.key
  local planned = tonumber(call('ZSCORE', reserved, id) or nil)
  if planned then
    if planned > now then
      reserve(base, id, rate, planned)
      return false
    end
    call('ZREM', reserved, id)
  else
    local at = next_start(base, rate, now)
    if not at then park(base, id, 'rate:' .. rate.key, rules) end
    if at and at > now then reserve(base, id, rate, at) end
    if at ~= now then return false end
  end
  note_start(base, rate, now)
  reserve_next(base, rate)
  return true
end

-- Gives up a reservation; the start whose place it took counts again.
local function drop_reservation(base, id, rate)
  local planned = tonumber(call('ZSCORE', base .. 'reserved:' .. rate.key, id) or nil)
  if not planned then return end
  call('ZREM', base .. 'reserved:' .. rate.key, id)
  call('ZREM', base .. 'paced', id)
  note_start(base, rate, planned - spacing(rate))
  reserve_next(base, rate)
end
