-- What came of an item. The event is in the outbox when, and only when, the item has changed.
-- ARGV: id, agent ('' for whoever holds it), the claim that the event is written for, outcome, when to come back (ms; ''
-- for never), event, how long to remember it (ms), the most that may wait in the outbox.
local id, agent, claim, outcome, again = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7]
local event, remember, most = ARGV[8], ARGV[9], tonumber(ARGV[10])
sweep()
local NOW = now()
local item = ITEMS .. id
local found = redis.call('HMGET', item, 'state', 'agent', 'claims', 'settled', 'outcome')
local state, holder, claims = found[1], found[2], tonumber(found[3] or 0)
local held = state == 'claimed' or (state == 'withdrawn' and holder and found[4] ~= found[3])
if held and agent ~= '' and agent ~= holder then
  return {state, holder}
end
if not held and state ~= 'ready' and state ~= 'later' then
  return {state or 'unknown', holder or '', found[5] or ''}
end
if claim ~= (held and claims or claims + 1) then -- somebody was quicker
  return {'changed'}
end
if redis.call('XLEN', OUTCOMES) >= most then
  return {'full'}
end
redis.call('XADD', OUTCOMES, '*', 'event', event)
redis.call('HSET', item, 'claims', claim, 'settled', claim, 'outcome', outcome,
  'resolved_at', whole(NOW))
redis.call('HINCRBY', item, 'tries', 1)
if state == 'withdrawn' then
  redis.call('HDEL', item, 'warning')
  return {'resolved', redis.call('HGETALL', item)}
end
out_of_all(id)
if again == '' then
  redis.call('HSET', item, 'state', 'resolved', 'agent', holder or agent)
  redis.call('PEXPIRE', item, remember)
else
  redis.call('HDEL', item, 'agent', 'claimed_at', 'lease')
  redis.call('HSET', item, 'state', 'later', 'not_before', again, 'due', again)
  redis.call('HSETNX', item, 'acked_at', whole(NOW))
  redis.call('ZADD', LATER, again, id)
end
return {'resolved', redis.call('HGETALL', item)}
