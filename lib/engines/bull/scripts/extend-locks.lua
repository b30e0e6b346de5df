--[[
  Renews the locks of all runs of a worker. As Bull's extendLock.

  KEYS[1]  any key of the queue
  ARGV     base, lock duration in ms, then per run: id, its lock value
  Returns  the ids whose lock is lost
]]
local base, lost = ARGV[1], {}
for at = 3, #ARGV, 2 do
  local key = base .. ARGV[at] .. ':lock'
  if call('GET', key) == ARGV[at + 1] then
    call('PEXPIRE', key, ARGV[2])
    call('SREM', base .. 'stalled', ARGV[at])
  else
    lost[#lost + 1] = ARGV[at]
  end
end
return lost
