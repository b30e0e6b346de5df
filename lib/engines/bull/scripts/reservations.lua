--[[
  Functions with which jobs get, reserve and give back the starts of rates.lua.
]]

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
  call('HSET', base .. id, 'start', note_start(base, rate, now))
  reserve_next(base, rate)
  return true
end

-- Gives back the start of a run that never began.
local function take_back_start(base, id, rate)
  local name = call('HGET', base .. id, 'start')
  if name and call('ZREM', base .. 'rate:' .. rate.key, name) == 1 then reserve_next(base, rate) end
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
