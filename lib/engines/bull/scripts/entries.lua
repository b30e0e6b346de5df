--[[
  Functions for the entries of waiting jobs in lists. A list may be too long to be searched for a job that leaves it, so
  its entry is left there and counted.

  gone   a hash: how many entries of a job are left in lists; under '', of all jobs
]]

local function leave_entry(base, id)
  call('HINCRBY', base .. 'gone', id, 1)
  call('HINCRBY', base .. 'gone', '', 1)
end

local function stands_elsewhere(base, id)
  if call('ZSCORE', base .. 'delayed', id) or call('ZSCORE', base .. 'paced', id)
    or call('ZSCORE', base .. 'parked', id) then return true end
  for _, list in ipairs({ 'wait', 'paused', 'high', 'low', 'arriving' }) do
    if call('LPOS', base .. list, id) then return true end
  end
  return call('EXISTS', base .. id .. ':lock') == 1
end

-- Whether an entry that was taken off a list had been left there, so that nothing is to be done for it.
local function was_left(base, id)
  local count = tonumber(call('HGET', base .. 'gone', id) or '0') or 0
  if count == 0 then return false end
  if count == 1 then call('HDEL', base .. 'gone', id) else call('HINCRBY', base .. 'gone', id, -1) end
  if call('HINCRBY', base .. 'gone', '', -1) <= 0 then call('DEL', base .. 'gone') end
  -- A job of this id may have been made or started anew; where this is its only entry, it is that job's.
  return not is_unfinished(base, id) or stands_elsewhere(base, id)
end
