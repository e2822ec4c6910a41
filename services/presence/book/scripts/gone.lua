-- A process went away, by word of others, who may be wrong: its doors come again within the grace, if they are there.
local prefix = ARGV[3]
for _, instance in ipairs(redis.call("ZRANGE", P .. "doors", 0, -1)) do
	if string.sub(instance, 1, #prefix) == prefix then gone(instance, now) end
end
return 1
