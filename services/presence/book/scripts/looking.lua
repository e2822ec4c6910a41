-- Pairs of profile and room: for each 1 where that room is looked at on a socket of the profile, which has not said that it is away.
local answer = {}
for i = 3, #ARGV, 2 do
	local found = 0
	if redis.call("HGET", person(ARGV[i]), "said") ~= "away" then
		for _, room in ipairs(redis.call("HVALS", looks(ARGV[i]))) do
			if room == ARGV[i + 1] then found = 1 end
		end
	end
	answer[#answer + 1] = found
end
return answer
