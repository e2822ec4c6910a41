-- A door says what opened and closed: instance, no, begin, count, how many opened, then (socket, profile, hides, room
-- looked at or "") of each of these, then the sockets that closed. Answers whether all of this door is known, and the number of the last change told.
local instance, no, begin, count = ARGV[3], tonumber(ARGV[4]), ARGV[5] == "1", tonumber(ARGV[6])
local last = tonumber(redis.call("HGET", P .. "numbers", instance) or nil)

if last and no <= last then return { 1, told() } end
if not last and not begin then return { 0, told() } end
if begin then gone(instance, now) end
redis.call("HSET", P .. "numbers", instance, no)
redis.call("ZADD", P .. "doors", now, instance)

local door = P .. "door:" .. instance
local i = 8
for _ = 1, tonumber(ARGV[7]) do
	local socket, id, hides, room = ARGV[i], ARGV[i + 1], ARGV[i + 2] == "1", ARGV[i + 3]
	i = i + 4
	redis.call("HSET", door, socket, id)
	redis.call("SADD", sockets(id), socket)
	if room ~= "" then redis.call("HSET", looks(id), socket, room) end
	local known = redis.call("HMGET", person(id), "said", "leftAt")
	local leftAt = tonumber(known[2] or nil)
	-- Who went for good is somebody new, also while that is still being told.
	if not known[1] or leftAt and now >= leftAt + GRACE then
		local hidden = hides or known[1] == "hidden"
		redis.call("HSET", person(id), "said", hidden and "hidden" or "online", "cameAt", now, "unsaved", "1")
		redis.call("ZADD", P .. "here", 0, id)
	end
	redis.call("HDEL", person(id), "leftAt")
	due(id, now + GATHER)
end
for j = i, #ARGV do
	local id = redis.call("HGET", door, ARGV[j])
	if id then
		redis.call("HDEL", door, ARGV[j])
		leave(ARGV[j], id, now)
	end
end
return { redis.call("HLEN", door) == count and 1 or 0, told() }
