-- Brings back what is due to come back; gives how many are ready, later, claimed, and ready but overdue.
sweep()
local function overdue(from)
  return redis.call('ZCOUNT', READY, whole(from), '(' .. whole(from + now() * 16))
end
return {
  redis.call('ZCARD', READY), redis.call('ZCARD', LATER), redis.call('ZCARD', CLAIMED),
  overdue(0) + overdue(BEHIND_THE_TOP),
}
