--[[
  Takes the job that a blocking read has moved to `arriving`. Sent right behind the read on the same connection, so that
  the job needs no second round trip. Others may come in between, and it may be another worker's: each run takes one, and
  each read moves one.

  Only a job that has not run yet, has nothing special and comes alone is taken here, as take.lua would. Any other is left
  in `active` without a lock, for a turn, which takes all that wait in one go.

  KEYS[1]  any key of the queue
  ARGV     base, lock value for the job, lock duration in ms, worker name
  Effects  the job is in `active`; one that is taken has a lock, its start by the clock of Redis, a worker, and the event
           `active@`
  Returns  nil when nothing has arrived, or the queue is paused; the id of a job that is not taken; or six values as
           turn.lua has them
]]
local base, lock = ARGV[1], ARGV[2]
-- What others have left is not started on a paused queue.
if call('EXISTS', base .. 'meta-paused') == 1 then return nil end
local id = call('RPOP', base .. 'arriving')
if not id then return nil end
call('LPUSH', base .. 'active', id)

local key = base .. id
-- High ones go first; what has left entries in lists may have been cancelled.
if call('EXISTS', key .. ':lock', base .. 'wait', base .. 'high', base .. 'low', base .. 'gone', base .. 'priority') > 0 then return id end
local job = redis.pcall('HMGET', key, 'name', 'data', 'opts', 'timestamp', 'delay', 'priority')
if job.err or not job[1] or not job[5] or not job[6] or call('HLEN', key) ~= 6 then return id end

local time = call('TIME')
call('SET', key .. ':lock', lock, 'PX', ARGV[3])
call('HSET', key, 'processedOn', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), 'worker', ARGV[4])
call('PUBLISH', base .. 'active@' .. lock, id)
return { id, job[1], job[2], job[3], job[4], false }
