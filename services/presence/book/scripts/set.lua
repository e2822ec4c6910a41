-- A client says how it is: socket, profile, what it says. Answers 0 where this is no socket of that profile.
local socket, id, said = ARGV[3], ARGV[4], ARGV[5]
if redis.call("SISMEMBER", sockets(id), socket) == 0 then return 0 end
local before = redis.call("HGET", person(id), "said")
if (before == "hidden") ~= (said == "hidden") then redis.call("HSET", person(id), "unsaved", "1") end
-- Who asked just before has seen it as it was, whether that was told or not: the change is news to them.
if before ~= said then redis.call("HSET", person(id), "shown", before == "hidden" and "offline" or before) end
redis.call("HSET", person(id), "said", said)
due(id, now + GATHER)
return 1
