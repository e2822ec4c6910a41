-- Put before each of the other scripts. Each of them runs as a whole, on Redis's own clock (ms).
--
--   person:<profile>   hash  said, cameAt, leftAt (without a socket), told (what followers heard last),
--                            shown (how it was before a client said otherwise, until that is told), unsaved
--   sockets:<profile>  set   its sockets, over all doors
--   looks:<profile>    hash  socket -> the room that is looked at on it
--   door:<instance>    hash  socket -> profile
--   doors              zset  instance -> when it was heard last
--   numbers            hash  instance -> the number of its last report
--   here               zset  the profiles that have a person, by their ids
--   due                zset  profile -> when to look at it
--   telling            zset  profile -> until when somebody is telling of it
--   told               the number of the last change that was told
--   born               since when all this is kept
--   watched, watching  when news were asked for last, and since when without a break
local P = KEYS[1]
local GATHER, GRACE = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function person(id)
	return P .. "person:" .. id
end

local function sockets(id)
	return P .. "sockets:" .. id
end

local function looks(id)
	return P .. "looks:" .. id
end

local function due(id, at)
	redis.call("ZADD", P .. "due", "LT", at, id)
end

-- A counter that was lost goes on above all that it has ever said.
local function told()
	redis.call("SET", P .. "told", now * 1000, "NX")
	return redis.call("GET", P .. "told")
end

local function born()
	redis.call("SET", P .. "born", now, "NX")
	return tonumber(redis.call("GET", P .. "born"))
end

local function leave(socket, id, at)
	redis.call("HDEL", looks(id), socket)
	if redis.call("SREM", sockets(id), socket) == 0 or redis.call("EXISTS", sockets(id)) == 1 then return end
	redis.call("HSET", person(id), "leftAt", at)
	due(id, at + GRACE)
end

-- A door and all its sockets.
local function gone(instance, at)
	local all = redis.call("HGETALL", P .. "door:" .. instance)
	for i = 1, #all, 2 do leave(all[i], all[i + 1], at) end
	redis.call("DEL", P .. "door:" .. instance)
	redis.call("ZREM", P .. "doors", instance)
	redis.call("HDEL", P .. "numbers", instance)
end

