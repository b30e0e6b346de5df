--[[
  Notes the start of a run whose job was taken unbegun (take.lua).

  KEYS[1]  `active` of the queue
  ARGV     base, id, lock value of the run, now, worker name
  Effects  from now on the death of the worker is a crash of this job
  Returns  1, or 0 when the lock is not held by this run any more
]]
local key = ARGV[1] .. ARGV[2]
if call('GET', key .. ':lock') ~= ARGV[3] then return 0 end
call('HSET', key, 'processedOn', ARGV[4], 'worker', ARGV[5])
return 1
