--[[
  Finds the jobs that a turn or a read took whose reply was lost: they carry its lock, and nobody runs them.

  KEYS[1]  `active` of the queue
  ARGV     base, then the lock values of what was lost
  Returns  seven values per job: its lock value, its id and what take.lua reads
]]
local base, taken = ARGV[1], {}
local is_lost = {}
for at = 2, #ARGV do is_lost[ARGV[at]] = true end

for _, id in ipairs(call('LRANGE', KEYS[1], 0, -1)) do
  local lock = call('GET', base .. id .. ':lock')
  if lock and is_lost[lock] then
    taken[#taken + 1] = lock
    if not read_for_worker(base .. id, id, taken) then taken[#taken] = nil end
  end
end
return taken
