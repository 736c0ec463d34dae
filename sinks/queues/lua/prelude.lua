-- Before every script of a queue. All keys of a queue share its hash tag, an item's included, so that a cluster keeps them
-- on one node; an item's key is ITEMS followed by its warning_id. Times are milliseconds since 1970, UTC.
local READY, LATER, CLAIMED, PAUSED, STREAM, OUTCOMES = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local ITEMS = ARGV[1]
local NEVER_DUE, BEHIND_THE_TOP = 2 ^ 43 - 1, 2 ^ 47

-- The server's clock, one for all who claim; a test gives its own.
local function now()
  if ARGV[2] ~= '' then
    return tonumber(ARGV[2])
  end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function whole(number)
  return string.format('%.0f', number)
end

-- The order of people's work, the smallest first: the top tier before all others, then what is due earlier, then the
-- higher tier. Exact in a double: 1 bit, 43 bits of milliseconds, 4 bits of tier.
local function urgency(due, rank, top)
  local score = math.min(tonumber(due) or NEVER_DUE, NEVER_DUE) * 16 + 15 - tonumber(rank)
  return whole(tostring(top) == '1' and score or score + BEHIND_THE_TOP)
end

-- When an unclaimed item is due: to be acknowledged, and once that is done, to be resolved.
local function due_of(item)
  local found = redis.call('HMGET', item, 'acked_at', 'ack_by', 'resolve_by')
  return found[1] and found[3] or found[2]
end

local function out_of_all(id)
  redis.call('ZREM', READY, id)
  redis.call('ZREM', LATER, id)
  redis.call('ZREM', CLAIMED, id)
end

local function ready(id, due)
  local item = ITEMS .. id
  local found = redis.call('HMGET', item, 'rank', 'top')
  out_of_all(id)
  if not found[1] then -- deleted by hand, or evicted
    return
  end
  redis.call('HDEL', item, 'agent', 'claimed_at', 'lease', 'not_before')
  redis.call('HSET', item, 'state', 'ready', 'due', due or '')
  redis.call('ZADD', READY, urgency(due, found[1], found[2]), id)
end

-- Claims that ran out and times that have come, at most so many at once that nobody waits.
local function sweep()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', CLAIMED, '-inf', whole(now()), 'LIMIT', 0, 500)) do
    ready(id, due_of(ITEMS .. id))
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', LATER, '-inf', whole(now()), 'LIMIT', 0, 500)) do
    ready(id, redis.call('HGET', ITEMS .. id, 'not_before'))
  end
end
