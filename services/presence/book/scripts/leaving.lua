-- Who has gone and is not stored yet: id, when, whether it hides.
local answer = {}
for _, id in ipairs(redis.call("ZRANGE", P .. "due", 0, 9999)) do
	local known = redis.call("HMGET", person(id), "leftAt", "said")
	if known[1] then
		answer[#answer + 1] = id
		answer[#answer + 1] = known[1]
		answer[#answer + 1] = known[2] == "hidden" and 1 or 0
	end
end
return answer
