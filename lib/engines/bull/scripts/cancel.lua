--[[
  Cancels jobs that have not ended. A running one loses its lock, so that what its run answers is dropped.

  KEYS[1]  any key of the queue
  ARGV     base, now, of cancelled jobs: keep in ms, most of them; then the ids
  Effects  state `cancelled`, a record of the run, the event `cancelled` with the lock of the run; what its rules held is given to others
  Returns  per id: 1 when this call ended it, else 0
]]
local rule = with_rules()
local base, now = ARGV[1], tonumber(ARGV[2])
local keep = { tonumber(ARGV[3]), tonumber(ARGV[4]) }
local answers = {}
for at = 5, #ARGV do
  local id = ARGV[at]
  local is_open = is_unfinished(base, id) and not rule.expire_if_due(base, id, now, keep)
  if is_open then
    local job = call('HMGET', base .. id, 'worker', 'rules')
    local rules, lock = read_rules(job[2]), call('GET', base .. id .. ':lock')
    if job[1] or lock then
      call('DEL', base .. id .. ':lock')
      call('LREM', base .. 'active', -1, id)
      call('SREM', base .. 'stalled', id)
      rule.record_run(base, id, 'cancelled', now)
    else
      rule.withdraw(base, id, rules)
    end
    rule.stop(base, id, 'cancelled', now, keep, rules, lock)
  end
  answers[#answers + 1] = is_open and 1 or 0
end
return answers
