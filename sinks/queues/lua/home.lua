-- Which queue an episode is in. A warning that is elevated may be routed elsewhere; no revision, however late, may then
-- bring it back to where it was.
-- KEYS: the first of the homes. ARGV: what a home's key begins with, how long to remember what is over (ms), and in
-- MessagePack a list of decisions: id, revision, queue, open.
-- Gives for each the queues that it has to leave, or 0 for what is older and was never in its queue.
local function leaves(id, revision, queue, open)
  local home = ARGV[1] .. id
  local found = redis.call('HMGET', home, 'revision', 'queues')
  local newest, queues, known, others = tonumber(found[1] or 0), found[2] or '', false, {}
  if queues == queue then
    known = true
  else
    for name in string.gmatch(queues, '%S+') do
      if name == queue then
        known = true
      else
        others[#others + 1] = name
      end
    end
  end
  if revision < newest then
    return known and {} or 0
  end
  if not known then
    queues = queues == '' and queue or queues .. ' ' .. queue
  end
  redis.call('HSET', home, 'revision', revision, 'queue', queue, 'queues', queues)
  if not open then
    redis.call('PEXPIRE', home, ARGV[2])
  end
  return others
end

local answers = {}
for place, decision in ipairs(cmsgpack.unpack(ARGV[3])) do
  answers[place] = leaves(unpack(decision))
end
return answers
