-- Profiles that are known here, in the order of their ids: after which one ("" for the first), how many.
return redis.call("ZRANGE", P .. "here", ARGV[3] == "" and "-" or "(" .. ARGV[3], "+", "BYLEX", "LIMIT", 0, ARGV[4])
