-- How long doors have (ms) to say who is here after all was lost, then profiles. Answers whether they have had it, and for each
-- profile what it says, or "" for one that is not known, and since when it is offline, or "".
local answer = { now - born() >= tonumber(ARGV[3]) and 1 or 0 }
for i = 4, #ARGV do
	local known = redis.call("HMGET", person(ARGV[i]), "said", "leftAt")
	local leftAt = tonumber(known[2] or nil)
	answer[#answer + 1] = known[1] or ""
	answer[#answer + 1] = leftAt and now >= leftAt + GRACE and known[2] or ""
end
return answer
