-- The holder has taken it up: ack_by is met, and the claim lasts longer.
-- ARGV: id, agent ('' for whoever holds it), lease (ms).
local id, agent, lease = ARGV[3], ARGV[4], tonumber(ARGV[5])
sweep()
local NOW = now()
local item = ITEMS .. id
local found = redis.call('HMGET', item, 'state', 'agent')
if found[1] ~= 'claimed' or (agent ~= '' and agent ~= found[2]) then
  return {found[1] or 'unknown', found[2] or ''}
end
redis.call('ZADD', CLAIMED, whole(NOW + lease), id)
redis.call('HSETNX', item, 'acked_at', whole(NOW))
redis.call('HSET', item, 'lease', whole(NOW + lease))
return {'acked', redis.call('HGETALL', item)}
