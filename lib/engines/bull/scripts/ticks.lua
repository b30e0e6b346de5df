--[[
  Makes jobs of the ticks of schedules, each tick once.

  KEYS[1]  any key of the queue
  ARGV     base, token, of cancelled jobs: keep in ms, most of them; how long what is kept of a schedule outlives its last
           tick in ms, how early a tick may be in ms, how far ahead a stored tick is wrong in ms, starts of deploys kept;
           then per tick: name of the schedule, kind (`tick`, `start`, `trigger`), the instant, the instant up to which the
           schedule is done for the caller, missed ticks, overlap, limit (0: none), version of the definition ('': declared)
           or the deploy of a start, and the eleven values of its job (add-jobs.lua), whose rules end with `schedule`
  Effects  as tick-decisions.lua and add-jobs.lua say
  Returns  now in ms, then per tick: { 'accepted' }, { 'known' or 'moved', the instant up to which the schedule is done },
           { 'early' }, { 'paused' }, { 'skipped', the job that has its unique key ('': overlap) }, { 'over' }, { 'gone' }
]]
local added = #accepted > 0 and add_jobs() or {}
for i, job in ipairs(accepted) do
  local answer = added[i]
  if answer == 1 then
    local gate = gates[job.position]
    if gate and call('HEXISTS', base .. job.id, 'after') == 0 then call('HSET', base .. job.id, 'after', gate) end
  elseif answer == 0 then
    answers[job.position] = { 'known', '0' }
  else
    -- Another job answers for it.
    answers[job.position] = { 'skipped', answer }
    if job.kind == 'tick' then
      call('HINCRBY', job.key, 'count', -1)
      call('HINCRBY', job.key, 'skipped', 1)
      if job.ran then call('HSET', job.key, 'ran', job.ran, 'job', job.job) else call('HDEL', job.key, 'ran', 'job') end
    end
  end
end
table.insert(answers, 1, text(clock))
return answers
