-- The episode is in another queue from this revision on. Gives what people have done to it here, as JSON, also when asked
-- again, so that a delivery that died in between can be repeated.
-- ARGV: id, revision, the other queue, length of the stream, how long to remember it (ms).
local id, revision, to = ARGV[3], tonumber(ARGV[4]), ARGV[5]
local item = ITEMS .. id
local found = redis.call('HMGET', item, 'revision', 'state')
local newest, state = tonumber(found[1] or 0), found[2]
if revision < newest then
  return ''
end
if state ~= 'moved' then
  out_of_all(id)
  redis.call('HDEL', item, 'warning')
  redis.call('HSET', item, 'id', id, 'revision', revision, 'state', 'moved', 'was', state or '', 'to', to)
  redis.call('XADD', STREAM, 'MAXLEN', '~', ARGV[6], '*',
    'warning_id', id, 'revision', revision, 'status', 'moved', 'queue', to)
end
redis.call('PEXPIRE', item, ARGV[7])
local history = {}
local fields = {'rank', 'agent', 'claims', 'claimed_at', 'lease', 'acked_at', 'not_before', 'tries', 'settled', 'outcome'}
for _, field in ipairs(fields) do
  local value = redis.call('HGET', item, field)
  if value then
    history[field] = value
  end
end
history.state = redis.call('HGET', item, 'was')
return history.state == '' and '' or cjson.encode(history)
