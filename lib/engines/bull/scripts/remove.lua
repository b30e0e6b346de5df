--[[
  Removes jobs that are not running.

  KEYS[1]  any key of the queue
  ARGV     base, now, then the ids
  Effects  nothing is left of them; the event `removed`
  Returns  per id: 1 when it was known and is gone, else 0
]]
local rule = with_rules()
local base, now = ARGV[1], tonumber(ARGV[2])
local answers = {}

local function remove(id)
  local job = redis.pcall('HMGET', base .. id, 'name', 'finishedOn', 'worker', 'rules')
  if job.err or not job[1] then return 0 end
  if not job[2] and (job[3] or call('EXISTS', base .. id .. ':lock') == 1) then return 0 end
  local is_over, rules = is_outdated(base, id, now), read_rules(job[4])
  if not job[2] then rule.withdraw(base, id, rules) end
  rule.release_all(base, id, rules)
  forget_finished(base, id, rules)
  if is_over then return 0 end
  publish_end(base, 'removed', id)
  return 1
end

for at = 3, #ARGV do answers[#answers + 1] = remove(ARGV[at]) end
return answers
