--[[
  Functions with which runs that ended give back what they held: their locks, and their places in the active list.
]]

-- Takes jobs off the active list, given as keys of a table; those that were not there are left in it.
local function leave_active(base, ids, count)
  local active, others = base .. 'active', {}
  -- Jobs that were taken together often end together, and stand side by side at the end of the list.
  local last = count > 2 and call('RPOP', active, count) or {}
  for i = 1, #last do
    if ids[last[i]] then ids[last[i]] = nil else others[#others + 1] = last[i] end
  end
  for i = 1, #others / 2 do others[i], others[#others + 1 - i] = others[#others + 1 - i], others[i] end
  in_parts(others, function(...) return call('RPUSH', active, ...) end)
  for id in pairs(ids) do
    if call('LREM', active, -1, id) > 0 then ids[id] = nil end
  end
end

-- Gives the locks of ended runs back; answers which of them still had theirs, by their place in ARGV.
local function release(base, places)
  local keys, ids, locks, released, run_of = {}, {}, {}, {}, {}
  for i, at in ipairs(places) do keys[i] = base .. ARGV[at] .. ':lock' end
  for i, lock in ipairs(in_parts(keys, function(...) return call('MGET', ...) end)) do
    local at = places[i]
    if lock == ARGV[at + 1] and not run_of[ARGV[at]] then
      run_of[ARGV[at]] = at
      locks[#locks + 1] = keys[i]
      ids[#ids + 1] = ARGV[at]
    end
  end
  local absent = {}
  for _, id in ipairs(ids) do absent[id] = true end
  leave_active(base, absent, #ids)
  in_parts(locks, function(...) return call('DEL', ...) end)
  step(in_parts, ids, function(...) return call('SREM', base .. 'stalled', ...) end)
  for id, at in pairs(run_of) do released[at] = not absent[id] end
  return released
end
