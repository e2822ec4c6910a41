// How every connection to Redis is made.
import type { RedisOptions } from "ioredis";

/** First in the name of every key; several deployments on one server take databases of their own (redis://host/1). */
const PREFIX = "reloop:";
/** A command that was not answered in this time (ms) has failed. */
export const COMMAND_MS = 1_000;
/** Without a word for so long (ms) the connection is given up and made anew: the other end may be gone without saying so. */
const SILENT_MS = 5_000;
/** Between two tries to connect it waits at most so long (ms). */
export const LONGEST_PAUSE = 500;

export const options = {
	keyPrefix: PREFIX,
	enableOfflineQueue: false,
	commandTimeout: COMMAND_MS,
	maxRetriesPerRequest: 0,
	autoResendUnfulfilledCommands: false,
	connectTimeout: 2_000,
	socketTimeout: SILENT_MS,
	disableClientInfo: true,
	// After a failover the old address leads to a replica.
	reconnectOnError: (error) => error.message.includes("READONLY"),
} as const satisfies RedisOptions;
