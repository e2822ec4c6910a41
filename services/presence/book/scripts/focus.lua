-- A client says what is looked at on a socket: socket, profile, room, or "" for none. Answers 0 where this is no socket of that profile.
local socket, id, room = ARGV[3], ARGV[4], ARGV[5]
if redis.call("SISMEMBER", sockets(id), socket) == 0 then return 0 end
if room == "" then redis.call("HDEL", looks(id), socket) else redis.call("HSET", looks(id), socket, room) end
return 1
