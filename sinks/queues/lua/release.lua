-- Gives a claimed item back at once.
-- ARGV: id, agent ('' for whoever holds it).
local id, agent = ARGV[3], ARGV[4]
sweep()
local found = redis.call('HMGET', ITEMS .. id, 'state', 'agent')
if found[1] ~= 'claimed' or (agent ~= '' and agent ~= found[2]) then
  return {found[1] or 'unknown', found[2] or ''}
end
ready(id, due_of(ITEMS .. id))
return {'released', redis.call('HGETALL', ITEMS .. id)}
