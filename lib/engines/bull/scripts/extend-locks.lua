--[[
  Renews the locks of all runs of a worker. As Bull's extendLock.

  KEYS[1]  any key of the queue
  ARGV     base, lock duration in ms, then per run: id, its lock value
  Returns  per lost lock: the id, and 1 when the job was cancelled, else 0
]]
local base, lost = ARGV[1], {}
for at = 3, #ARGV, 2 do
  local key = base .. ARGV[at] .. ':lock'
  if call('GET', key) == ARGV[at + 1] then
    call('PEXPIRE', key, ARGV[2])
    call('SREM', base .. 'stalled', ARGV[at])
  else
    lost[#lost + 1] = ARGV[at]
    lost[#lost + 1] = redis.pcall('HGET', base .. ARGV[at], 'stopped') == 'cancelled' and 1 or 0
  end
end
return lost
