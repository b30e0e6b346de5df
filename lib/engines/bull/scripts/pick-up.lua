--[[
  The way of most jobs that wake an idle worker through turn.lua, whose arguments these are: nothing has ended, and one
  id was moved by the blocking read, of a job that has not run yet and has nothing special, while nothing else waits. It
  comes before all functions, since on an idle server most of a script's time goes into making them.
]]
local function pick_up(base, id)
  local key = base .. id
  if call('EXISTS', key .. ':lock', base .. 'wait', base .. 'high', base .. 'low', base .. 'gone', base .. 'priority') > 0
    or not call('LPOS', base .. 'active', id) or call('HLEN', key) ~= 6 then return nil end
  local job = call('HMGET', key, 'name', 'data', 'opts', 'timestamp', 'delay', 'priority')
  if not job[1] or not job[5] or not job[6] then return nil end
  call('SREM', base .. 'stalled', id)
  call('SET', key .. ':lock', ARGV[3], 'PX', ARGV[4])
  call('HSET', key, 'processedOn', ARGV[2], 'worker', ARGV[5])
  call('PUBLISH', base .. 'active@' .. ARGV[3], id)
  return { {}, { id, job[1], job[2], job[3], job[4], false }, 0 }
end

if #ARGV == 12 and ARGV[11] == '1' then
  local is_sound, taken = pcall(pick_up, ARGV[1], ARGV[12])
  if is_sound and taken then return taken end
end
