--[[
  Takes jobs to another queue, each in one step.

  KEYS[1]  any key of the queue
  ARGV     base, base of the other queue, now, token, of expired jobs: keep in ms, most of them; then the ids
  Effects  what has not started waits there as it did here, ended jobs but for completed ones start afresh; the events
           `removed` here and `waiting@token` there
  Returns  per id: 1 when it was moved, else 0
]]
local rule = with_rules()
local from, to, now, token = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local keep = { tonumber(ARGV[5]), tonumber(ARGV[6]) }
local answers = {}

local function move(id)
  rule.expire_if_due(from, id, now, keep)
  local job = redis.pcall('HMGET', from .. id, 'name', 'finishedOn', 'worker', 'rules', 'stopped')
  if job.err or not job[1] or call('EXISTS', to .. id) == 1 then return 0 end
  local has_ended = job[2]
  if has_ended and not job[5] and not call('ZSCORE', from .. 'failed', id) then return 0 end
  if not has_ended and (job[3] or call('EXISTS', from .. id .. ':lock') == 1) then return 0 end
  local rules = read_rules(job[4])
  local unique = rules and rules.unique
  if not rule.is_key_free(to, id, unique, now, keep) then return 0 end
  local score = call('ZSCORE', from .. 'delayed', id)
  if not has_ended then rule.withdraw(from, id, rules) end
  rule.release_all(from, id, rules)

  -- What is indexed by id here is indexed there instead.
  leave_ended(from, id)
  redis.pcall('RENAME', from .. id .. ':logs', to .. id .. ':logs')
  call('RENAME', from .. id, to .. id)
  forget(from, id, rules)
  if has_ended then rule.make_fresh(to, id, rules) else call('HDEL', to .. id, 'after') end
  if unique then rule.take_unique(to, id, unique) end
  if rules then index(to, id, rules, now) end
  if score then
    put_later(to, id, math.floor(tonumber(score) / 0x1000), 0)
  else
    put_back(to, id, waiting_list(to), false)
    call('PUBLISH', to .. 'waiting@' .. token, id)
  end
  publish_end(from, 'removed', id)
  return 1
end

for at = 7, #ARGV do answers[#answers + 1] = move(ARGV[at]) end
return answers
