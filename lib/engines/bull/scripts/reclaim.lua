--[[
  Takes jobs anew that a turn or a read took whose reply was lost: they carry its lock, and nobody runs them.

  KEYS[1]  `active` of the queue
  ARGV     base, new lock value, lock duration in ms, then the lock values of what was lost
  Effects  the jobs have the new lock, so that each is found once
  Returns  six values per job, as turn.lua has them
]]
local base, lock, taken = ARGV[1], ARGV[2], {}
local is_lost = {}
for at = 4, #ARGV do is_lost[ARGV[at]] = true end

for _, id in ipairs(call('LRANGE', KEYS[1], 0, -1)) do
  local key = base .. id
  local held = call('GET', key .. ':lock')
  if held and is_lost[held] and read_for_worker(key, id, taken) then
    call('SET', key .. ':lock', lock, 'PX', ARGV[3])
  end
end
return taken
