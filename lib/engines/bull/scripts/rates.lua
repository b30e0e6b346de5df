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

-- Answers the name of the start.
local function note_start(base, rate, at)
  local starts, name = base .. 'rate:' .. rate.key, call('INCR', base .. 'parks')
  local ttl, time = call('PTTL', starts), math.ceil(spacing(rate))
  call('ZADD', starts, at, name)
  -- Other jobs of this key may have been given a longer time by another version of the app.
  if ttl < time then call('PEXPIRE', starts, time) end
  return name
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
  -- A limit that was lowered by a deploy counts the latest starts only; the earlier ones may count for other jobs.
  local first = call('ZRANGE', starts, surplus, surplus, 'WITHSCORES')
  if first[1] then call('ZREM', starts, first[1]) else first = take_dead_reservation(base, rate) end
  return first and math.max(now, tonumber(first[2]) + spacing(rate))
end
