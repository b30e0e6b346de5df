--[[
  Starts failed, cancelled and expired jobs afresh: no attempts made, no crashes, no expiry; the runs stay on record.
  As Bull's reprocessJob.

  KEYS[1]  any key of the queue
  ARGV     base, now, token, of expired jobs: keep in ms, most of them; then the ids
  Effects  the jobs wait; the event `waiting@token`
  Returns  per id: 1 when it waits now, else 0: in another state, or another job has its unique key
]]
local rule = with_rules()
local base, now, token = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local keep = { tonumber(ARGV[4]), tonumber(ARGV[5]) }
local answers = {}

local function try(id)
  rule.expire_if_due(base, id, now, keep)
  local job = redis.pcall('HMGET', base .. id, 'finishedOn', 'stopped', 'rules', 'keptUntil')
  if job.err or not job[1] or job[4] and (tonumber(job[4]) or 0) <= now then return 0 end
  if not job[2] and not call('ZSCORE', base .. 'failed', id) then return 0 end
  local rules = read_rules(job[3])
  local unique = rules and rules.unique
  if not rule.is_key_free(base, id, unique, now, keep) then return 0 end
  if unique then rule.take_unique(base, id, unique) end
  rule.make_fresh(base, id, rules)
  leave_ended(base, id)
  put_back(base, id, waiting_list(base), false)
  call('PUBLISH', base .. 'waiting@' .. token, id)
  return 1
end

for at = 6, #ARGV do answers[#answers + 1] = try(ARGV[at]) end
return answers
