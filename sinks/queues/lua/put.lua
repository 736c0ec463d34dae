-- Takes in decisions, in order; an older or repeated revision changes nothing. Gives how many were new.
-- ARGV: length of the stream, how long to remember what is over (ms), in MessagePack a list of decisions (id, revision, open,
-- status, tier, rank, top (1 or 0), ack_by, resolve_by, why it is over, and as JSON or '' what was done to it in the queue
-- that it comes from), and then each decision as the contract's JSON.
local length, remember = ARGV[3], ARGV[4]
local TEXTS = 5

local function add(item, history, id)
  for field, value in pairs(history) do
    redis.call('HSET', item, field, value)
  end
  if history.state == 'claimed' then
    redis.call('ZADD', CLAIMED, history.lease, id)
  elseif history.state == 'later' then
    redis.call('ZADD', LATER, history.not_before, id)
  end
end

local function withdraw(item, id, reason)
  out_of_all(id)
  redis.call('HSET', item, 'state', 'withdrawn', 'ended', reason)
  if reason == 'forgotten' then
    redis.call('HDEL', item, 'warning', 'agent')
  elseif redis.call('HEXISTS', item, 'agent') == 0 then -- whoever has it may still say what came of it
    redis.call('HDEL', item, 'warning')
  end
  redis.call('PEXPIRE', item, remember)
end

local function put(warning, id, revision, open, status, tier, rank, top, ack_by, resolve_by, reason, carried)
  local item = ITEMS .. id
  local found = redis.call('HMGET', item, 'revision', 'state', 'rank')
  local state, rank_before = found[2], tonumber(found[3] or rank)
  if revision <= tonumber(found[1] or 0) then
    return 0
  end
  redis.call('XADD', STREAM, 'MAXLEN', '~', length, '*',
    'warning_id', id, 'revision', revision, 'status', status, 'tier', tier, 'warning', warning)
  if (not state or state == 'moved') and carried ~= '' then
    local history = cjson.decode(carried)
    state, rank_before = history.state, tonumber(history.rank)
    add(item, history, id)
  end
  local fields = {'id', id, 'revision', revision, 'tier', tier, 'rank', rank, 'top', top, 'ack_by', ack_by,
    'resolve_by', resolve_by, 'warning', warning}
  if open and (not state or state == 'ready') then -- by far the commonest
    redis.call('HSET', item, 'state', 'ready', 'due', ack_by, unpack(fields))
    redis.call('ZADD', READY, urgency(ack_by, rank, top), id)
    if state then
      redis.call('HDEL', item, 'acked_at') -- more urgent than before: to be acknowledged anew
    end
    return 1
  end
  redis.call('HSET', item, unpack(fields))
  redis.call('PERSIST', item)
  if state == 'resolved' then -- what people ended stays ended
    redis.call('PEXPIRE', item, remember)
  elseif not open then
    withdraw(item, id, reason)
  elseif state ~= 'claimed' and not (state == 'later' and rank <= rank_before) then
    redis.call('HDEL', item, 'acked_at', 'ended')
    ready(id, ack_by)
  end
  return 1
end

local new = 0
for place, decision in ipairs(cmsgpack.unpack(ARGV[TEXTS])) do
  new = new + put(ARGV[TEXTS + place], unpack(decision))
end
return new
