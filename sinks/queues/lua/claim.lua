-- One item for one agent: exactly one who asks at the same time gets it.
-- ARGV: id or '' for the most urgent, agent or '' for only looking how urgent that is, lease (ms), tiers to choose from
-- ('' for all, else between spaces).
-- Gives {'claimed', the item} or {why not, ...}.
local id, agent, lease, tiers = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
sweep()
local NOW = now()
if redis.call('EXISTS', PAUSED) == 1 then
  return {'paused'}
end
local function wanted(one)
  return tiers == '' or string.find(tiers, ' ' .. (redis.call('HGET', ITEMS .. one, 'tier') or '') .. ' ', 1, true)
end
local function most_urgent()
  for first = 0, redis.call('ZCARD', READY) - 1, 200 do
    for _, one in ipairs(redis.call('ZRANGE', READY, first, first + 199)) do
      if wanted(one) then
        return one
      end
    end
  end
end
if id == '' then
  id = most_urgent()
  if not id then
    return {'none'}
  end
  if agent == '' then -- only looking
    return {'first', redis.call('ZSCORE', READY, id)}
  end
else
  local found = redis.call('HMGET', ITEMS .. id, 'state', 'agent')
  if found[1] ~= 'ready' and found[1] ~= 'later' then
    return {found[1] or 'unknown', found[2] or ''}
  end
end
local item = ITEMS .. id
redis.call('ZREM', READY, id)
redis.call('ZREM', LATER, id)
redis.call('ZADD', CLAIMED, whole(NOW + lease), id)
redis.call('HINCRBY', item, 'claims', 1)
redis.call('HSET', item, 'state', 'claimed', 'agent', agent, 'claimed_at', whole(NOW), 'lease', whole(NOW + lease))
return {'claimed', redis.call('HGETALL', item)}
