--[[
  The way of most single jobs through add-jobs.lua, whose arguments these are: one new job, for now, without rules and
  metadata. It comes before all functions, since on an idle server most of a script's time goes into making them.
]]
local function add_one(base, id)
  -- A known one, or a paused queue, asks for more.
  if call('EXISTS', base .. id, base .. 'meta-paused') > 0 then return nil end
  call('INCRBY', base .. 'id', 1)
  -- Before the hash: where a key is broken, nothing of the job is there yet.
  call('LPUSH', base .. 'wait', id)
  call('HSET', base .. id, 'name', ARGV[7], 'data', ARGV[16], 'opts', ARGV[8], 'timestamp', ARGV[9],
    'delay', ARGV[10], 'priority', '0')
  call('PUBLISH', base .. 'waiting@' .. ARGV[2], id)
  return { 1 }
end

if #ARGV == 16 and ARGV[11] == '0' and ARGV[12] == '' and ARGV[13] == '' then
  local is_sound, added = pcall(add_one, ARGV[6], ARGV[15])
  if is_sound and added then return added end
end
