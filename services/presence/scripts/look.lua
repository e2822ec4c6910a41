-- Profiles; answers for each what it says, or "" for one that is not known, and since when it is offline, or "".
local answer = {}
for i = 3, #ARGV do
	local known = redis.call("HMGET", person(ARGV[i]), "said", "leftAt")
	local leftAt = tonumber(known[2] or nil)
	answer[#answer + 1] = known[1] or ""
	answer[#answer + 1] = leftAt and now >= leftAt + GRACE and known[2] or ""
end
return answer
