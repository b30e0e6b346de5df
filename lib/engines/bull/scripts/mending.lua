--[[
  What every script does about a key that is of another type than it should be: somebody's tool, a restored dump or a
  mistyped command wrote there. It is set aside under its own name and `:broken`, for a week, so that one such key does
  not stop a queue for ever.

  call   runs a command; scripts of which many run per second mend from the first error on, all others from the start
]]
local function mending(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then return reply end
  if string.find(reply.err, 'WRONGTYPE', 1, true) or string.find(reply.err, 'not an integer', 1, true) then
    local _, key = ...
    redis.call('RENAME', key, key .. ':broken')
    redis.call('PEXPIRE', key .. ':broken', 604800000)
  end
  return redis.call(...)
end

-- Takes a step of a script; one that fails is taken once more, mending. It must not matter that it had begun.
local function step(take_it, ...)
  local is_taken, answer = pcall(take_it, ...)
  if is_taken then return answer end
  call = mending
  return take_it(...)
end
