--[[
  Notes a job's progress or a line of its log. As Bull's updateProgress and addLog.

  KEYS[1]  the job's hash
  ARGV     base, id, `progress` or `log`, the value, most log lines
  Effects  the field `progress` and the event `progress`; or the list `<id>:logs`. None for a job that is not known
]]
if call('EXISTS', KEYS[1]) == 0 then return 0 end
if ARGV[3] == 'progress' then
  call('HSET', KEYS[1], 'progress', ARGV[4])
  call('PUBLISH', ARGV[1] .. 'progress', '{"jobId":' .. cjson.encode(ARGV[2]) .. ',"progress":' .. ARGV[4] .. '}')
else
  call('RPUSH', KEYS[1] .. ':logs', ARGV[4])
  call('LTRIM', KEYS[1] .. ':logs', -tonumber(ARGV[5]), -1)
end
return 1
