-- What is to be told: silence (ms), lease (ms), how many at most. Answers the number of it, whether there is more, and of each
-- profile: id, status, whether that has changed, whether it is over, when it was seen where that is to be stored (or ""),
-- whether it hides, and when it went where others may know (or "").
local SILENCE, LEASE, MOST = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

-- A door is dead when it has said nothing for so long, while somebody was there to hear it.
local watched = tonumber(redis.call("GET", P .. "watched") or nil)
if not watched or now - watched > SILENCE / 2 then redis.call("SET", P .. "watching", now) end
redis.call("SET", P .. "watched", now)
if now - tonumber(redis.call("GET", P .. "watching") or now) >= SILENCE then
	local silent = redis.call("ZRANGEBYSCORE", P .. "doors", "-inf", now - SILENCE, "WITHSCORES")
	for i = 1, #silent, 2 do gone(silent[i], tonumber(silent[i + 1])) end
end

-- Who was to be told of by somebody who never said that it was done.
for _, id in ipairs(redis.call("ZRANGEBYSCORE", P .. "telling", "-inf", now)) do
	redis.call("ZREM", P .. "telling", id)
	due(id, now)
end

local ids = redis.call("ZRANGEBYSCORE", P .. "due", "-inf", now, "LIMIT", 0, MOST)
local answer, changes = { "", #ids == MOST and 1 or 0 }, false
for _, id in ipairs(ids) do
	local lease = redis.call("ZSCORE", P .. "telling", id)
	if lease then
		-- One at a time tells of a profile, or an older word could come after a newer one.
		redis.call("ZADD", P .. "due", lease, id)
	else
		redis.call("ZREM", P .. "due", id)
		local known = redis.call("HMGET", person(id), "said", "leftAt", "told", "cameAt", "unsaved", "shown")
		local said, leftAt = known[1], tonumber(known[2] or nil)
		if said then
			local over = leftAt and now >= leftAt + GRACE
			local hides = said == "hidden"
			local status = (over or hides) and "offline" or said
			local changed = status ~= (known[3] or "offline") or known[6] and known[6] ~= status
			if over or changed or known[5] then
				redis.call("ZADD", P .. "telling", now + LEASE, id)
				local seenAt = over and known[2] or known[5] and (known[4] or tostring(now)) or ""
				for _, field in ipairs({ id, status, changed and 1 or 0, over and 1 or 0, seenAt, hides and 1 or 0, over and not hides and known[2] or "" }) do
					answer[#answer + 1] = field
				end
				changes = changes or changed
			elseif leftAt then
				due(id, leftAt + GRACE)
			end
		end
	end
end
told()
answer[1] = changes and redis.call("INCR", P .. "told") or redis.call("GET", P .. "told")
return answer
