--[[
  Decides which of several ticks make a job, and notes that. What follows sees only those in ARGV, as add-jobs.lua takes them.

  schedule:<name>     a hash: `last` (the last tick that was decided about), `ran` (the last one that made a job), `job` (of
                      that one), `ended` (how that job ended), `others` (jobs that were triggered, JSON), `since` (nothing
                      before is missed), `rule`, `count`, `missed`, `skipped`, `paused` (JSON)
  schedules           a hash: the definitions of schedules that were set; `schedules-changed` (a sorted set): the version of
                      each; `schedules-removed`: those that were removed, by version; `schedules-version`: the last one
  schedules-started   a sorted set: the starts of deploys that made a job
]]
local base = ARGV[1]
local ttl, early, wrong_clock, starts_kept = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local time = call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)

-- Of the call: answers by the tick's position, the positions and the gates of those that make a job.
local answers, accepted, gates = {}, {}, {}
local is_new = {}
local jobs = { clock, ARGV[2], ARGV[3], ARGV[4], '0' }

local function text(number) return string.format('%.0f', number) end
local function goes_on(id) return id and (is_new[id] or is_unfinished(base, id)) end
-- The triggered jobs that have not ended.
local function others_of(state)
  local is_read, ids = pcall(cjson.decode, state.others or '[]')
  local going = {}
  for _, id in ipairs(is_read and type(ids) == 'table' and ids or {}) do
    if type(id) == 'string' and goes_on(id) then going[#going + 1] = id end
  end
  return going
end

local function read_state(key)
  local fields, state = { 'last', 'since', 'ran', 'job', 'others', 'count', 'paused' }, {}
  for i, value in ipairs(call('HMGET', key, unpack(fields))) do state[fields[i]] = value or nil end
  local last = tonumber(state.last or '0') or 0
  state.last = last > clock + wrong_clock and 0 or last
  state.done = math.max(state.last, tonumber(state.since or '0') or 0)
  return state
end

-- What is to be done with a tick: an answer, or nil and the job whose end its own has to wait for.
local function decide_tick(name, state, tick)
  if tick.version ~= '' and call('ZSCORE', base .. 'schedules-changed', name) ~= tick.version then return { 'gone' } end
  if tick.at <= state.last then return { 'known', text(state.last) } end
  if tick.at > clock + early then return { 'early' } end
  local is_behind = state.done > 0 and state.done < tick.after
  if is_behind or tick.missed > 0 and state.done > tick.after then return { 'moved', text(state.done) } end
  call('HSET', tick.key, 'last', text(tick.at))
  if state.paused then return { 'paused' } end
  if tick.missed > 0 then call('HINCRBY', tick.key, 'missed', tick.missed) end
  if tick.limit > 0 and (tonumber(state.count or '0') or 0) >= tick.limit then return { 'over' } end
  local before = goes_on(state.job) and state.job or others_of(state)[1]
  if tick.overlap == 'skip' and before then
    call('HINCRBY', tick.key, 'skipped', 1)
    return { 'skipped', '' }
  end
  return nil, tick.overlap == 'queue' and before or nil
end

local function decide_start(name, state, deploy)
  if state.paused then return { 'paused' } end
  local started = base .. 'schedules-started'
  if call('ZADD', started, 'NX', clock, name .. '\n' .. deploy) == 0 then return { 'known', text(state.last) } end
  if call('ZCARD', started) > starts_kept then call('ZREM', started, call('ZRANGE', started, 0, 0)[1]) end
end

local function decide(position, at)
  local name, kind, key = ARGV[at], ARGV[at + 1], base .. 'schedule:' .. ARGV[at]
  local state, id, answer, gate = read_state(key), ARGV[at + 17], nil, nil
  local tick = { key = key, at = tonumber(ARGV[at + 2]), after = tonumber(ARGV[at + 3]), missed = tonumber(ARGV[at + 4]),
    overlap = ARGV[at + 5], limit = tonumber(ARGV[at + 6]), version = ARGV[at + 7] }
  if kind == 'tick' then answer, gate = decide_tick(name, state, tick)
  elseif kind == 'start' then answer = decide_start(name, state, ARGV[at + 7]) end
  answers[position] = answer or { 'accepted' }
  if not answer then
    if kind == 'tick' then
      call('HSET', key, 'ran', text(tick.at), 'job', id)
      call('HDEL', key, 'ended')
      call('HINCRBY', key, 'count', 1)
    else
      local others = others_of(state)
      others[#others + 1] = id
      if #others > 10 then table.remove(others, 1) end
      call('HSET', key, 'others', cjson.encode(others))
    end
    is_new[id], gates[position] = true, gate
    accepted[#accepted + 1] = { position = position, id = id, key = key, kind = kind, ran = state.ran, job = state.job }
    local first = #jobs
    for i = 0, 10 do jobs[first + 1 + i] = ARGV[at + 8 + i] end
    -- The rules end with those of the schedule.
    local rules = first + 8
    if state.ran then jobs[rules] = string.sub(jobs[rules], 1, -3) .. ',"previousTick":' .. state.ran .. '}}' end
  end
  if not state.paused and call('EXISTS', key) == 1 then call('PEXPIRE', key, ttl) end
end

for at = 9, #ARGV, 19 do decide((at - 9) / 19 + 1, at) end
local ARGV = jobs
