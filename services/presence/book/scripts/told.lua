-- It was told: (profile, status, whether it is over) of each.
for i = 3, #ARGV, 3 do
	local id, status, over = ARGV[i], ARGV[i + 1], ARGV[i + 2] == "1"
	redis.call("ZREM", P .. "telling", id)
	-- Whatever happened to it meanwhile made it due again.
	local again = redis.call("ZSCORE", P .. "due", id)
	if redis.call("EXISTS", person(id)) == 1 then
		redis.call("HSET", person(id), "told", status)
		if again then
			due(id, now)
		elseif over then
			redis.call("DEL", person(id))
			redis.call("ZREM", P .. "here", id)
		else
			redis.call("HDEL", person(id), "unsaved", "shown")
			local leftAt = tonumber(redis.call("HGET", person(id), "leftAt") or nil)
			if leftAt then due(id, leftAt + GRACE) end
		end
	end
end
return 1
